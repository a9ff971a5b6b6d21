/** Copy buttons for what is not a live cell: commands in the head, listings in the text, PyTorch twins. */
export function addCopyButtons(page: Document): void {
  for (const code of page.querySelectorAll<HTMLElement>('.lab-command code')) code.after(copyButton(page, code));
  for (const card of page.querySelectorAll<HTMLElement>('.torch-card')) {
    const code = card.querySelector<HTMLElement>('pre');
    if (code) card.querySelector('.torch-foot')?.append(copyButton(page, code));
  }
}

function copyButton(page: Document, code: HTMLElement): HTMLButtonElement {
  const button = page.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(textOf(code)).then(
      () => say('Copied'),
      () => say('The browser refused'),
    );
  });
  const say = (text: string) => {
    button.textContent = text;
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 1500);
  };
  return button;
}

/** Lines of code are blocks, with no line breaks between them in the text. */
function textOf(code: HTMLElement): string {
  const lines = [...code.querySelectorAll('.line')];
  return lines.length ? `${lines.map((line) => line.textContent).join('\n')}\n` : (code.textContent ?? '');
}
