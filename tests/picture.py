"""Take results/picture.png, the picture of README: a lesson as the site that was built last shows it."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from reader_site import CHROMIUM, FLAGS, served

ROOT = Path(__file__).parents[1]
#: The lesson, and the words of its text from which on it is shown.
LESSON, HEADING = "p00_numpy_and_pytorch", "#the-linear-layer"


def main() -> None:
    with served(ROOT / "build" / "public") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light", reduced_motion="reduce")
        page.goto(f"{address}lessons/{LESSON}/")
        page.locator(HEADING).evaluate("heading => scrollTo(0, heading.getBoundingClientRect().top + scrollY - 80)")
        page.wait_for_timeout(1000)  # fonts, and the outline follows
        page.screenshot(path=ROOT / "results" / "picture.png")
        browser.close()


if __name__ == "__main__":
    main()
