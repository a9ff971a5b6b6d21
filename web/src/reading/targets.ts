/** A link to what is folded, a line of code or a section, opens the folds around it first. */
export function openFolds(page: Document): void {
  const open = () => {
    const target = page.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && unfold(target)) target.scrollIntoView();
  };
  addEventListener('hashchange', open);
  page.addEventListener('click', ({ target }) => {
    const link = target instanceof Element && target.closest<HTMLAnchorElement>('a[href^="#"]');
    if (link && link.hash === location.hash) open(); // followed again: the address does not change
  });
  open();
}

/** Opens the folds around an element; whether there were any. */
export function unfold(target: Element): boolean {
  let opened = false;
  for (let fold = target.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null) {
    opened ||= !fold.open;
    fold.open = true;
  }
  return opened;
}
