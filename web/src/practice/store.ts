// What this device remembers of an exercise: groundup:practice:<name>. Private mode and foreign content are no reason
// to fail, and what cannot be kept is said.
import { isLost, keep } from '../storage';
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
  if (isLost(PREFIX + name)) return kept;
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
  keep(PREFIX + name, JSON.stringify(kept));
  if (part.solved !== undefined) document.dispatchEvent(new Event(CHANGED));
  return kept;
}

/** Calls `heard` when another tab has changed what is kept of an exercise. Returns a function that ends it. */
export function follow(name: string, heard: () => void): () => void {
  const hear = ({ key }: StorageEvent) => {
    if ((key === PREFIX + name || key === null) && !isLost(PREFIX + name)) heard();
  };
  addEventListener('storage', hear);
  return () => removeEventListener('storage', hear);
}

/** How far one is with an exercise as it is today. */
export function stateOf(kept: Kept, hash: string): State {
  if (kept.solved) return kept.solved === hash ? 'solved' : 'changed';
  if (kept.gaveUp) return 'gave up';
  if (kept.attempts) return 'tried';
  return kept.since === null ? 'new' : 'started';
}
