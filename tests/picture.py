"""Take results/picture.png, the picture of README: a lesson as the site that was built last shows it."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from reader_site import CHROMIUM, FLAGS, served

ROOT = Path(__file__).parents[1]
#: The lesson, and the cell that is shown with the words before it.
LESSON, CELL = "self_attention", "attend"


def main() -> None:
    with served(ROOT / "build" / "public") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 840}, color_scheme="light", reduced_motion="reduce")
        page.goto(f"{address}lessons/{LESSON}/")
        cell = page.locator(f".cell[data-cell='{CELL}']")
        cell.evaluate("cell => scrollBy({top: cell.getBoundingClientRect().top - 130, behavior: 'instant'})")
        page.wait_for_timeout(1000)  # what lies above is laid out only now
        cell.evaluate("cell => scrollBy({top: cell.getBoundingClientRect().top - 130, behavior: 'instant'})")
        page.wait_for_timeout(1000)  # fonts, and the outline follows
        page.screenshot(path=ROOT / "results" / "picture.png")
        browser.close()


if __name__ == "__main__":
    main()
