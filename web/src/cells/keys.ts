/** Alt+↓ and Alt+↑ go to the next cell and to the one before: from anywhere on the page but an editor. */
export function goOnKeys(page: Document): void {
  page.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('input, textarea, select, [contenteditable="true"]')) return;
    const cell = neighbour(page, target, step);
    if (!cell) return;
    event.preventDefault();
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: 'start' });
  });
}

/** The next cell on the page after the one that has the focus, or else after the upper edge of the window. */
function neighbour(page: Document, target: Element | null, step: number): HTMLElement | undefined {
  const cells = [...page.querySelectorAll<HTMLElement>('section.cell[data-live]')].filter(
    (cell) => !cell.matches('.helpers') && cell.checkVisibility(), // not those in what is folded
  );
  const here = cells.indexOf(target?.closest<HTMLElement>('section.cell') as HTMLElement);
  if (here >= 0) return cells[here + step];
  const edge = window.innerHeight / 4;
  const below = cells.findIndex((cell) => cell.getBoundingClientRect().top > edge);
  if (step > 0) return cells[below];
  return cells[(below < 0 ? cells.length : below) - 1];
}
