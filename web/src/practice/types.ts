// What the grader says (groundup.practice.verdict), and what a page knows of its exercise.

export interface Verdict {
  exercise: string;
  status: 'passed' | 'wrong' | 'unwritten' | 'error' | 'refused' | 'timeout' | 'memory' | 'exited';
  message: string;
  /** The check that failed. */
  check: string;
  arguments: Record<string, string> | null;
  upstream: string;
  expected: string;
  got: string;
  error: number | null;
  measured: string;
  diagnosis: string;
  /** Of the answer, outermost first. */
  lines: [number: number, text: string][];
  /** What the answer printed. */
  log: string;
  /** The checks that passed before. */
  checks: string[];
  seconds: number;
  passed: boolean;
}

export type State = 'new' | 'started' | 'tried' | 'skipped' | 'gave up' | 'changed' | 'solved';
export type States = Record<string, State>;

/** What else the learner does, for the progress file of the command line. */
export type Step = 'start' | 'hint' | 'give up';

/** What the page says about its exercise. */
export interface Exercise {
  name: string;
  hash: string;
  folder: string;
  minutes: number;
  torch: boolean;
  starter: string;
  /** The site's root, as the page writes it. */
  root: string;
  /** The grader for Python in the browser, from the site's root. */
  zip: string;
  /** A call to begin with, or "". */
  call: string;
}

/** What a line gave (groundup.practice.trial). */
export interface Trial {
  ok: boolean;
  value: string;
  message: string;
  lines: [number: number, text: string][];
  log: string;
}

/** Grades answers to one exercise, somewhere. */
export interface Grader {
  /** Fails with one sentence if there is no verdict to be had. */
  check(source: string): Promise<Verdict>;
  /** What a line gives on an answer. Fails like `check`. */
  attempt(source: string, line: string): Promise<Trial>;
  /** Ends the check that goes on: it fails with STOPPED. */
  stop(): void;
  note(step: Step): void;
}

export const STOPPED = 'Stopped.';
