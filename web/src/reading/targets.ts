/** A link to a line inside folded helpers opens the fold first. */
export function openFolds(page: Document): void {
  const open = () => {
    const target = page.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target?.closest('details');
    if (!target || !fold || fold.open) return;
    fold.open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', open);
  open();
}
