import { trackOf } from '../settings/apply';
import { change, getSettings, subscribe } from '../settings/store';

/** The small NumPy | PyTorch switch of a pair changes the track of the page; the pair stays where it is on screen. */
export function wakePairs(page: Document): void {
  const buttons = [...page.querySelectorAll<HTMLButtonElement>('.pair-switch button')];
  if (!buttons.length) return;
  const show = () => {
    const track = trackOf(getSettings());
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.setTrack === track));
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const before = button.getBoundingClientRect().top;
      change({ track: button.dataset.setTrack === 'torch' ? 'torch' : 'numpy' });
      scrollBy({ top: button.getBoundingClientRect().top - before, behavior: 'instant' });
    });
  }
  subscribe(show);
  show();
}
