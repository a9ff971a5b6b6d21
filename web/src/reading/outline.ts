/** The outline shows where the reader is: the last heading above the upper third of the window. */
export function followOutline(page: Document): void {
  const outline = page.querySelector<HTMLElement>('.outline');
  const details = outline?.querySelector('details');
  const links = [...(outline?.querySelectorAll<HTMLAnchorElement>('a[href^="#"]') ?? [])];
  if (!outline || !details || !links.length) return;

  // narrow screens start with it closed, and keep it at hand as a line that says where one is
  const narrow = matchMedia('(max-width: 58rem)');
  const fold = () => {
    details.open = !narrow.matches;
  };
  fold();
  outline.dataset.awake = '';
  const at = outline.querySelector<HTMLElement>('[data-outline-at]');
  details.addEventListener('toggle', () => {
    if (details.open && narrow.matches) current?.scrollIntoView({ block: 'nearest' });
  });
  narrow.addEventListener('change', fold);
  outline.addEventListener('click', (event) => {
    if (narrow.matches && (event.target as Element).closest('a')) details.open = false;
  });
  page.addEventListener('click', ({ target }) => {
    if (narrow.matches && target instanceof Element && !outline.contains(target)) details.open = false;
  });
  outline.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !narrow.matches || !details.open) return;
    details.open = false;
    details.querySelector('summary')?.focus();
  });

  const headings = links.map((link) => page.getElementById(decodeURIComponent(link.hash.slice(1))));
  let current: HTMLAnchorElement | undefined;
  const look = () => {
    const atEnd = window.innerHeight + window.scrollY >= page.documentElement.scrollHeight - 4;
    const limit = atEnd ? Number.POSITIVE_INFINITY : window.innerHeight / 3;
    const index = headings.findLastIndex(
      (heading) => heading?.checkVisibility() && heading.getBoundingClientRect().top < limit, // not those in a fold
    );
    const link = links[index];
    if (link === current) return;
    current?.removeAttribute('aria-current');
    link?.setAttribute('aria-current', 'location');
    current = link;
    // the link's own words, formulas and all; what it says of reading is left out
    if (at && link) at.replaceChildren(...[...link.cloneNode(true).childNodes].filter((node) => !isTick(node)));
    else at?.replaceChildren();
    if (link && !narrow.matches) keepInView(outline, link);
  };
  let waiting = false;
  addEventListener(
    'scroll',
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        look();
      });
    },
    { passive: true },
  );
  look();
}

const isTick = (node: Node): boolean => node instanceof Element && node.matches('.progress-tick');

/** Scrolls the outline alone; scrollIntoView would move the page too. */
function keepInView(outline: HTMLElement, link: HTMLElement): void {
  const box = outline.getBoundingClientRect();
  const place = link.getBoundingClientRect();
  if (place.top < box.top + 40) outline.scrollTop -= box.top + 40 - place.top;
  if (place.bottom > box.bottom - 40) outline.scrollTop += place.bottom - box.bottom + 40;
}
