/** Three hints, one after the other; how many were asked for is remembered. */
export function wakeHints(page: Document, seen: number, note: (seen: number) => void): void {
  const hints = [...page.querySelectorAll<HTMLElement>('[data-hint]')];
  const button = page.querySelector<HTMLButtonElement>('[data-next-hint]');
  if (!button) return;
  let shown = Math.min(seen, hints.length);
  const show = () => {
    hints.forEach((hint, index) => {
      hint.hidden = index >= shown;
    });
    button.hidden = shown >= hints.length;
    button.textContent = shown ? 'Another hint' : 'Show a hint';
  };
  button.addEventListener('click', () => {
    shown += 1;
    show();
    note(shown);
    hints[shown - 1]?.focus(); // the button may be gone, and a screen reader goes on with the hint
  });
  show();
}
