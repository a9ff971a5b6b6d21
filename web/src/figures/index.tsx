/** Figures one can touch: the sliders that the build has drawn come to life. */
import { hydrateRoot } from 'react-dom/client';
import { type Frames, FramesView } from './FramesView';
import { mountReadings } from './reading';

export function mountFigures(page: Document): void {
  for (const place of page.querySelectorAll<HTMLElement>('[data-frames]')) {
    const { alt, ...frames } = JSON.parse(place.dataset.frames ?? '{}') as Frames & { alt: string };
    hydrateRoot(place, <FramesView frames={frames} alt={alt} />);
  }
  mountReadings(page);
}
