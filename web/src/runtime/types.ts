// One interface for the two places where a cell can run: a local Python, and Python inside this browser.

export type Track = 'numpy' | 'torch';

export interface SourceCell {
  id: string;
  source: string;
}

/** All cells of the session in order, edits included; the runtime decides what must run before the target. */
export interface RunRequest {
  type: 'run';
  /** Chosen by the caller, different for every run; all events of the run carry it. */
  run: number;
  /** The lesson's folder. */
  lesson: string;
  track: Track;
  cells: SourceCell[];
  target: string;
}

/** A frame of a traceback that lies in one of the reader's own cells. */
export interface ErrorLine {
  cell: string;
  line: number;
  code: string;
}

/** The pictures behind a slider, one a value. */
export interface SvgFrames {
  label: string;
  values: string[];
  start: number;
  svg: string[];
}

export type RuntimeState = 'starting' | 'ready' | 'busy' | 'stopped' | 'failed';
export type DoneReason = '' | 'interrupted' | 'error' | 'restarted';

/** `text` is for people. */
export interface StatusEvent {
  type: 'status';
  state: RuntimeState;
  text: string;
}

/** What one run reports: a plan, for each cell of it start … end, and done. */
export type RunEvent =
  | { type: 'plan'; run: number; cells: string[] }
  | { type: 'start'; run: number; cell: string }
  | {
      type: 'stream';
      run: number;
      cell: string;
      name: 'stdout' | 'stderr';
      text: string;
    }
  | { type: 'value'; run: number; cell: string; text: string }
  | { type: 'figure'; run: number; cell: string; svg: string; frames?: SvgFrames }
  | {
      type: 'error';
      run: number;
      cell: string;
      name: string;
      message: string;
      lines: ErrorLine[];
    }
  | { type: 'end'; run: number; cell: string; ok: boolean; seconds: number }
  | { type: 'done'; run: number; ok: boolean; reason: DoneReason };

/** What one wants to know of a dotted name, begun or whole, as Python has it now. */
export interface Question {
  type: 'complete' | 'describe';
  track: Track;
  words: string;
}

/** What a name stands for, in a line, and its docstring. */
export interface Description {
  head: string;
  doc: string;
}

/** Names that go on, or a description; null where Python is not there, at work, or knows nothing. */
export type Found = string[] | Description | null;

export interface AnswerEvent {
  type: 'answer';
  ask: number;
  found: Found;
}

export type RuntimeEvent = StatusEvent | RunEvent;
export type Listener = (event: RuntimeEvent) => void;

export interface Runtime {
  /** 'none': this copy of the site runs nothing; run() then answers with a status that says so. */
  readonly kind: 'kernel' | 'pyodide' | 'none';
  run(request: RunRequest): void;
  /** Starts no Python, and does not wait for one that is at work. */
  ask(question: Question): Promise<Found>;
  interrupt(): void;
  restart(): void;
  /** Returns a function that ends the listening. */
  onEvent(listener: Listener): () => void;
}

/** ROOT/runtime.json. A Pyodide URL may be relative to the site's root. */
export type RuntimeConfig = { kind: 'kernel'; dev: boolean } | { kind: 'pyodide'; url: string } | { kind: 'none' };
