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

/** A link to what the chosen track hides brings both tracks up, on this page only: nothing is remembered. */
function revealTarget(page: Document, show: () => void): void {
  const reveal = (): void => {
    const target = page.getElementById(decodeURIComponent(location.hash.slice(1)));
    const hidden = target?.closest<HTMLElement>('[data-side], article [data-track="torch"]');
    if (!target || !hidden || getComputedStyle(hidden).display !== 'none') return;
    page.documentElement.dataset.track = 'both';
    show();
    target.scrollIntoView();
  };
  window.addEventListener('hashchange', reveal);
  reveal();
}
