/** Opens the search by its button, by `/` outside fields, and by Ctrl+K (⌘K); nothing is loaded before that. */
export function mountSearch(page: Document): void {
  let opening: Promise<(typed: string) => void> | null = null;
  let typed: string | null = null; // what people type before the dialog has come
  const open = (): void => {
    opening ??= import('./open').then(({ prepare }) => prepare(page));
    typed = '';
    opening
      .then((show) => show(typed ?? ''))
      .catch(() => {
        opening = null; // the next try loads it anew
      })
      .finally(() => {
        typed = null;
      });
  };
  for (const button of page.querySelectorAll('[data-search]')) button.addEventListener('click', open);
  page.addEventListener('keydown', (event) => {
    if (typed !== null) {
      if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) typed += event.key;
      event.preventDefault();
      return;
    }
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
