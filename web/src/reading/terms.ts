/** A term's sentence beside it: on hover, focus or tap. Where it stands in the margin, that is shown instead. */
export function wakeTerms(page: Document): void {
  const card = page.createElement('div');
  card.className = 'term-card';
  card.id = 'term-card';
  card.setAttribute('role', 'tooltip');
  card.hidden = true;
  page.body.append(card);
  let shown: HTMLAnchorElement | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const hide = (): void => {
    clearTimeout(timer);
    shown?.removeAttribute('aria-describedby');
    for (const note of page.querySelectorAll('.is-pointed')) note.classList.remove('is-pointed');
    card.hidden = true;
    shown = null;
  };
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(hide, 250); // time to move onto the card
  };
  const show = (link: HTMLAnchorElement): void => {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    const id = link.hash.slice(1);
    const entry = page.getElementById(id);
    if (!entry) return;
    shown = link;
    const note = page.querySelector<HTMLElement>(`[data-note="${CSS.escape(id)}"]`);
    if (note && note.getClientRects().length > 0) {
      note.classList.add('is-pointed');
      return;
    }
    card.replaceChildren(...[...entry.childNodes].map((node) => node.cloneNode(true)));
    card.hidden = false;
    link.setAttribute('aria-describedby', card.id);
    place(card, link);
  };

  for (const link of page.querySelectorAll<HTMLAnchorElement>('a.term')) {
    link.addEventListener('pointerenter', () => show(link));
    link.addEventListener('pointerleave', later);
    link.addEventListener('focus', () => show(link));
    link.addEventListener('blur', later);
    link.addEventListener('click', (event) => {
      event.preventDefault();
      show(link);
    });
  }
  card.addEventListener('pointerenter', () => clearTimeout(timer));
  card.addEventListener('pointerleave', later);
  card.addEventListener('focusin', () => clearTimeout(timer));
  card.addEventListener('focusout', later);
  page.addEventListener('keydown', (event) => event.key === 'Escape' && hide());
  page.addEventListener('pointerdown', ({ target }) => {
    if (target instanceof Element && !target.closest('a.term, .term-card')) hide();
  });
}

/** Below the term, inside the window. */
function place(card: HTMLElement, link: HTMLElement): void {
  const box = link.getClientRects()[0] ?? link.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const left = Math.max(12, Math.min(box.left, room - card.offsetWidth - 12));
  const below = box.bottom + 6 + card.offsetHeight < window.innerHeight;
  card.style.left = `${left + window.scrollX}px`;
  card.style.top = `${(below ? box.bottom + 6 : box.top - card.offsetHeight - 6) + window.scrollY}px`;
}
