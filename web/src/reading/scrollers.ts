/** Only what really scrolls sideways is a stop for the Tab key and a region of the page; the build cannot know. */
export function watchScrollers(page: Document): void {
  const scrollers = [...page.querySelectorAll<HTMLElement>('[role="region"][tabindex="0"]')];
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) look(target as HTMLElement);
  });
  for (const one of scrollers) sizes.observe(one);
}

function look(one: HTMLElement): void {
  if (one.scrollWidth > one.clientWidth + 1) {
    one.tabIndex = 0;
    one.setAttribute('role', 'region');
  } else if (one !== document.activeElement) {
    one.removeAttribute('tabindex');
    one.setAttribute('role', 'group');
  }
}
