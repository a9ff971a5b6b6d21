import { trackOf } from '../settings/apply';
import { getSettings, subscribe } from '../settings/store';

/** Where PyTorch is chosen, the cards with PyTorch's code are open: they stand in place of NumPy's. */
export function followTrack(page: Document): void {
  const cards = [...page.querySelectorAll<HTMLDetailsElement>('.torch-card')];
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
