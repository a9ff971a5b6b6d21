/** Opens the search by its button, by `/` outside fields, and by Ctrl+K (⌘K); nothing is loaded before that. */
export function mountSearch(page: Document): void {
  let opening: Promise<() => void> | null = null;
  const open = (): void => {
    opening ??= import('./open').then(({ prepare }) => prepare(page));
    opening
      .then((show) => show())
      .catch(() => {
        opening = null; // the next try loads it anew
      });
  };
  for (const button of page.querySelectorAll('[data-search]')) button.addEventListener('click', open);
  page.addEventListener('keydown', (event) => {
    const slash = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    const control =
      event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || (!slash && !control)) return;
    event.preventDefault();
    open();
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input:not([type="radio"], [type="checkbox"]), textarea, select');
}
