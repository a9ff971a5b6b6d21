import { TRACKS } from './apply';
import { change, subscribe } from './store';

/** Wakes the prerendered buttons NumPy | PyTorch | Both. */
export function wakeTracks(page: Document): void {
  const buttons = page.querySelectorAll<HTMLButtonElement>('[data-track-switch] [data-set-track]');
  const show = (): void => {
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.dataset.setTrack === page.documentElement.dataset.track));
    }
  };
  for (const button of buttons) {
    const track = TRACKS.find((known) => known === button.dataset.setTrack);
    button.addEventListener('click', () => change({ track }));
  }
  subscribe(show);
  revealTarget(page, show);
  show();
}

/** A link to a line on the side that is not shown brings that side up, on this page only: nothing is remembered. */
function revealTarget(page: Document, show: () => void): void {
  const reveal = (): void => {
    const target = page.getElementById(decodeURIComponent(location.hash.slice(1)));
    const side = target?.closest<HTMLElement>('[data-side]');
    if (!target || !side?.dataset.side || getComputedStyle(side).display !== 'none') return;
    page.documentElement.dataset.track = side.dataset.side;
    show();
    target.scrollIntoView();
  };
  window.addEventListener('hashchange', reveal);
  reveal();
}
