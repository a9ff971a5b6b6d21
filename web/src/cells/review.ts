// Finds live outputs that are out of date: something that they came from has changed or run again since.
import type { Track } from '../runtime/types';
import { patch } from './atom';
import type { LessonState } from './state';
import type { Texts } from './texts';

export interface Review {
  /** A cell has run, with these texts in its session; asked: not just because another one needed it. */
  ran(id: string, track: Track, sources: Map<string, string>, asked: boolean): void;
  /** Looks at all cells again, after a change. */
  look(): void;
}

interface Ran {
  order: number;
  track: Track;
  sources: Map<string, string>;
  asked: boolean;
}

export function createReview(state: LessonState, texts: () => Texts): Review {
  const last = new Map<string, Ran>();
  let counter = 0;

  async function look(): Promise<void> {
    if (!last.size) return;
    const cells = await texts().load();
    const order = [...cells.keys()];
    for (const [id, ran] of last) {
      const cell = state.cells.get(id);
      if (cell?.get().run?.phase !== 'done') continue;
      const changed = (other: string) => {
        const source = cells.get(other);
        const sent = ran.sources.get(other);
        return source !== undefined && sent !== undefined && texts().current(source, ran.track) !== sent;
      };
      const later = (other: string) => {
        const again = last.get(other);
        return again?.asked && again.track === ran.track && again.order > ran.order;
      };
      // An edited cell may need other cells than the lesson's text does.
      const known = cells.get(id)?.needs;
      const above = known && !texts().edited(id) ? known : order.slice(0, order.indexOf(id));
      patch(cell, { outdated: changed(id) || above.some((other) => changed(other) || later(other)) });
    }
  }

  return {
    ran(id, track, sources, asked) {
      counter += 1;
      last.set(id, { order: counter, track, sources, asked });
      void look();
    },
    look: () => void look(),
  };
}
