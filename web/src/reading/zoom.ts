/** Click or Enter on a figure shows it as large as the window; Esc, or a click beside it, closes. */
export function addZoom(page: Document): void {
  const images = page.querySelectorAll<HTMLImageElement>('img[data-zoom]');
  for (const image of images) {
    const button = page.createElement('button');
    button.type = 'button';
    button.className = 'zoom-button';
    button.setAttribute('aria-label', `Enlarge: ${image.alt}`);
    image.replaceWith(button);
    button.append(image);
    button.addEventListener('click', () => show(page, image));
  }
}

/** Opens the large view of one figure. */
export function show(page: Document, image: HTMLImageElement): void {
  const dialog = page.createElement('dialog');
  dialog.className = 'zoomed';
  dialog.setAttribute('aria-label', 'Figure');
  const close = page.createElement('button');
  close.className = 'copy';
  close.textContent = 'Close';
  const bar = page.createElement('form');
  bar.method = 'dialog';
  bar.append(close);
  const large = image.cloneNode() as HTMLImageElement;
  large.removeAttribute('data-zoom');
  large.loading = 'eager';
  large.style.minWidth = `${image.getAttribute('width')}px`; // small screens scroll
  const caption = page.createElement('p');
  caption.textContent = image.alt;
  caption.setAttribute('aria-hidden', 'true'); // the picture's own text
  dialog.append(bar, large, caption);
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('close', () => dialog.remove());
  page.body.append(dialog);
  dialog.showModal();
}
