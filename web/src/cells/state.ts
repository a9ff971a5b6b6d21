// What the reader's screen shows of each cell, and of the Python behind them all.
import type { Frames } from '../figures/FramesView';
import type { DoneReason, ErrorLine, Runtime, StatusEvent } from '../runtime/types';
import { type Atom, atom } from './atom';
import type { LessonPage } from './page';

/** A piece of live output; of a long text `dropped` lines are missing after the first `kept`. */
export type Block =
  | { kind: 'text'; name: 'stdout' | 'stderr' | 'value'; text: string; dropped: number; kept: number }
  | { kind: 'figure'; url: string; width?: number; height?: number; frames?: Frames }
  | { kind: 'error'; name: string; message: string; lines: ErrorLine[] };

/** A cell that runs first because the target needs it. */
export interface Step {
  cell: string;
  state: 'waiting' | 'running' | 'ok' | 'failed';
  seconds: number;
}

export interface Run {
  phase: 'waiting' | 'starting' | 'running' | 'done';
  /** The reader asked for this cell; otherwise it runs because another one needs it. */
  asked: boolean;
  steps: Step[];
  blocks: Block[];
  /** The blocks come from this run, not from the one before, which stays in sight until there is something new. */
  fresh: boolean;
  ok: boolean;
  reason: DoneReason;
  seconds: number;
  /** Why nothing ran, in words. */
  note: string;
}

export interface CellState {
  /** The reader wants the editor. */
  open: boolean;
  /** It is there. */
  editing: boolean;
  /** The reader's text, or null for the lesson's. */
  edit: string | null;
  /** The lesson's text has changed since the edit. */
  drifted: boolean;
  run: Run | null;
  shows: 'built' | 'live';
  /** The text has just come from another tab. */
  elsewhere: boolean;
  /** The line of the last error. */
  line: number | null;
  /** Something that the live output came from has changed since. */
  outdated: boolean;
  /** How to run this cell elsewhere is shown. */
  help: boolean;
}

export const UNTOUCHED: CellState = {
  open: false,
  editing: false,
  edit: null,
  drifted: false,
  elsewhere: false,
  run: null,
  shows: 'built',
  line: null,
  outdated: false,
  help: false,
};

export const NEW_RUN: Run = {
  phase: 'starting',
  asked: true,
  steps: [],
  blocks: [],
  fresh: false,
  ok: false,
  reason: '',
  seconds: 0,
  note: '',
};

export interface LessonState {
  page: LessonPage;
  cells: Map<string, Atom<CellState>>;
  /** null until runtime.json has been read. */
  kind: Atom<Runtime['kind'] | null>;
  /** null until something runs. */
  status: Atom<StatusEvent | null>;
  /** How many cells are edited. */
  edited: Atom<number>;
  /** The last thing to tell those who do not see the page. */
  said: Atom<string>;
}

export function createState(page: LessonPage): LessonState {
  return {
    page,
    cells: new Map(page.cells.map(({ id }) => [id, atom(UNTOUCHED)])),
    kind: atom<Runtime['kind'] | null>(null),
    status: atom<StatusEvent | null>(null),
    edited: atom(0),
    said: atom(''),
  };
}
