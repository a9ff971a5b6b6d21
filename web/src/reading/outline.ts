/** The outline shows where the reader is: the last heading above the upper third of the window. */
export function followOutline(page: Document): void {
  const outline = page.querySelector<HTMLElement>('.outline');
  const details = outline?.querySelector('details');
  const links = [...(outline?.querySelectorAll<HTMLAnchorElement>('a[href^="#"]') ?? [])];
  if (!outline || !details || !links.length) return;

  // narrow screens start with it closed
  const narrow = matchMedia('(max-width: 58rem)');
  const fold = () => {
    details.open = !narrow.matches;
  };
  fold();
  narrow.addEventListener('change', fold);
  outline.addEventListener('click', (event) => {
    if (narrow.matches && (event.target as Element).closest('a')) details.open = false;
  });

  const headings = links.map((link) => page.getElementById(decodeURIComponent(link.hash.slice(1))));
  let current: HTMLAnchorElement | undefined;
  const look = () => {
    const limit = window.innerHeight / 3;
    let index = headings.findLastIndex((heading) => heading && heading.getBoundingClientRect().top < limit);
    if (window.innerHeight + window.scrollY >= page.documentElement.scrollHeight - 4) index = headings.length - 1;
    const link = links[index];
    if (link === current) return;
    current?.removeAttribute('aria-current');
    link?.setAttribute('aria-current', 'location');
    current = link;
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

/** Scrolls the outline alone; scrollIntoView would move the page too. */
function keepInView(outline: HTMLElement, link: HTMLElement): void {
  const box = outline.getBoundingClientRect();
  const place = link.getBoundingClientRect();
  if (place.top < box.top + 40) outline.scrollTop -= box.top + 40 - place.top;
  if (place.bottom > box.bottom - 40) outline.scrollTop += place.bottom - box.bottom + 40;
}
