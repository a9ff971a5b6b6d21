import { trackOf } from '../settings/apply';
import { getSettings, subscribe } from '../settings/store';

/** Where PyTorch is chosen, its chapter and the cards with its code are open: they stand in place of NumPy's. */
export function followTrack(page: Document): void {
  const cards = [...page.querySelectorAll<HTMLDetailsElement>('.torch-card, .second[data-track="torch"]')];
  let before = 'both';
  const show = () => {
    const track = trackOf(getSettings());
    if (track === before) return;
    for (const card of cards) card.open = track === 'torch';
    before = track;
  };
  subscribe(show);
  show();
}
