// What this device remembers of an exercise: groundup:practice:<name>. Private mode and foreign content are no reason
// to fail.
import type { State } from './types';

export interface Kept {
  version: 1;
  /** The answer so far; null while it is the starter. */
  text: string | null;
  /** Of the exercise as it was when the text was written. */
  hash: string;
  attempts: number;
  /** How many hints have been shown. */
  hints: number;
  /** The hash of the exercise that was solved, or "". */
  solved: string;
  gaveUp: boolean;
  /** When the clock was started, in milliseconds; null while it stands still. */
  since: number | null;
  /** What the clock stood at when it was stopped. */
  seconds: number | null;
}

/** The event of the document that tells when an exercise has been solved. */
export const CHANGED = 'groundup:practice';
const PREFIX = 'groundup:practice:';
const memory = new Map<string, Kept>(); // all there is in private mode

const fresh = (): Kept => ({
  version: 1,
  text: null,
  hash: '',
  attempts: 0,
  hints: 0,
  solved: '',
  gaveUp: false,
  since: null,
  seconds: null,
});

export function read(name: string): Kept {
  const kept = memory.get(name) ?? fresh();
  try {
    const text = localStorage.getItem(PREFIX + name);
    const found: unknown = text === null ? null : JSON.parse(text);
    return text === null ? kept : checked(found);
  } catch {
    return kept;
  }
}

/** Every field that is what it should be; the others start anew. */
function checked(found: unknown): Kept {
  const kept = fresh();
  if (found === null || typeof found !== 'object' || !('version' in found) || found.version !== 1) return kept;
  const { text, hash, attempts, hints, solved, gaveUp, since, seconds } = found as Record<keyof Kept, unknown>;
  const time = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  const count = (value: unknown) => (Number.isInteger(value) ? Math.max(0, value as number) : 0);
  return {
    version: 1,
    text: typeof text === 'string' ? text : null,
    hash: typeof hash === 'string' ? hash : '',
    attempts: count(attempts),
    hints: count(hints),
    solved: typeof solved === 'string' ? solved : '',
    gaveUp: gaveUp === true,
    since: time(since),
    seconds: time(seconds),
  };
}

/** Changes some fields. It starts from what is stored, for another tab may have written. */
export function change(name: string, part: Partial<Kept>): Kept {
  const kept = { ...read(name), ...part };
  memory.set(name, kept);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(kept));
  } catch {
    // private mode or full: it lasts as long as the page
  }
  if (part.solved !== undefined) document.dispatchEvent(new Event(CHANGED));
  return kept;
}

/** How far one is with an exercise as it is today. */
export function stateOf(kept: Kept, hash: string): State {
  if (kept.solved) return kept.solved === hash ? 'solved' : 'changed';
  if (kept.gaveUp) return 'gave up';
  if (kept.attempts) return 'tried';
  return kept.since === null ? 'new' : 'started';
}
