import type { AnswerEvent, Found, Listener, RuntimeEvent } from './types';

export interface Listeners {
  emit(event: RuntimeEvent): void;
  onEvent(listener: Listener): () => void;
}

export function listeners(): Listeners {
  const all = new Set<Listener>();
  return {
    emit: (event) => {
      for (const listener of [...all]) listener(event);
    },
    onEvent: (listener) => {
      all.add(listener);
      return () => all.delete(listener);
    },
  };
}

/** Runs that were asked for and are not done, with the cell that each is at. */
export class OpenRuns {
  private readonly cells = new Map<number, string>();

  constructor(private readonly emit: (event: RuntimeEvent) => void) {}

  get any(): boolean {
    return this.cells.size > 0;
  }

  add(run: number): void {
    this.cells.set(run, '');
  }

  /** Takes note of an event on its way to the listeners. */
  see(event: RuntimeEvent): void {
    if (event.type === 'start') this.cells.set(event.run, event.cell);
    else if (event.type === 'end') this.cells.set(event.run, '');
    else if (event.type === 'done') this.cells.delete(event.run);
  }

  /** Ends them all, because whoever ran them is gone. */
  end(reason: 'interrupted' | 'error' | 'restarted'): void {
    for (const [run, cell] of [...this.cells]) {
      this.cells.delete(run);
      if (cell) this.emit({ type: 'end', run, cell, ok: false, seconds: 0 });
      this.emit({ type: 'done', run, ok: false, reason });
    }
  }
}

const PATIENCE = 2500; // milliseconds

/** Questions that were asked and wait for their answers. */
export class Questions {
  private readonly waiting = new Map<number, (found: Found) => void>();
  private last = 0;

  /** `send` brings it on its way, with the number that its answer will carry. */
  ask(send: (ask: number) => void): Promise<Found> {
    this.last += 1;
    const ask = this.last;
    return new Promise((resolve) => {
      const end = (found: Found) => {
        clearTimeout(timer);
        this.waiting.delete(ask);
        resolve(found);
      };
      const timer = setTimeout(end, PATIENCE, null);
      this.waiting.set(ask, end);
      send(ask);
    });
  }

  answer({ ask, found }: AnswerEvent): void {
    this.waiting.get(ask)?.(found);
  }
}
