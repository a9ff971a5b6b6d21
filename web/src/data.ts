/** What the Python side writes into DATA and the pages are made of (groundup.reader.data). */

export type Track = 'numpy' | 'torch';
export type Level = 'beginner' | 'intermediate' | 'advanced';

export interface Site {
  version: string;
  parts: string[];
  lessons: Summary[];
  paths: LearningPath[];
  /** How many there are. */
  exercises: number;
  glossary: Term[];
  /** Where its source is; "" if nobody has said. */
  source: string;
}

/** A term of the glossary; the lesson that teaches it, by its folder. */
export interface Term {
  term: string;
  /** Its other forms. */
  also: string[];
  text: string;
  lesson: string;
}

/** Lessons are named by their folders everywhere. */
export interface LearningPath {
  slug: string;
  title: string;
  text: string;
  lessons: string[];
}

export interface Paper {
  authors: string;
  title: string;
  year: number;
  url: string;
}

export interface Summary {
  folder: string;
  number: string;
  slug: string;
  name: string;
  title: string;
  summary: string;
  part: string;
  level: Level;
  minutes: number;
  needs: string[];
  leadsTo: string[];
  paper: Paper | null;
  tracks: Track[];
  findings: Tally | null;
}

/** One lesson: `lessons/<folder>.json`. */
export interface Page {
  lesson: Summary;
  cells: Cell[];
  /** SVG by name, for `![words](diagram:name)` in a text. */
  diagrams: Record<string, string>;
  findings: Findings | null;
  notebooks: { track: Track; file: string }[];
}

export type Cell = Text | Code;

export interface Text {
  type: 'text';
  id: string;
  markdown: string;
  track: Track | 'shared';
  /** It stands in the margin where there is one. */
  margin: boolean;
  /** The measured findings are shown below this text. */
  findings: boolean;
  /** What interviewers ask, shown below it. */
  questions: Question[];
  /** The section that begins here is folded: it is for a second reading. */
  second: boolean;
}

/** Both are Markdown; the answer is "" where the lesson gives none. */
export interface Question {
  question: string;
  answer: string;
}

export interface Code {
  type: 'code';
  id: string;
  track: Track | 'shared';
  source: string;
  /** What the PyTorch notebook has in place of a shared cell's source, where it differs. */
  torchSource?: string;
  /** Why all of its code is folded; empty if some of it stands open. */
  fold: '' | 'needs' | 'tools' | 'figure' | 'again';
  /** It stands in the margin where there is one, as long as it is neither opened nor edited. */
  margin: boolean;
  /** A sentence on folded code, or empty. */
  gives: string;
  /** They cover all lines of the source, in order. */
  segments: Segment[];
  /** Lines that fold inside of what is open. */
  inner: InnerFold[];
  outputs: Output[];
  /** The cell only carries data: nothing is shown, but later cells need it. */
  data: boolean;
  /** Asked before the built output is shown; "" if it is shown at once. */
  predict: string;
  /** How long it took at build time. */
  seconds: number;
  /** The same with everything it depends on, from nothing. */
  total: number;
  /** The ids of the cells it depends on. */
  needs: string[];
  /** The functions of the library that this cell is about. */
  names: string[];
  marks: Mark[];
  /** Functions that are shown in steps, with words beside their lines. */
  beside: Beside[];
  /** What its functions take and give, as their docstrings say it. */
  shapes: { name: string; text: string }[];
  twins: Twin[];
  browser: boolean;
  /** Why it cannot run in the browser; empty if it can. */
  why: string;
  /** It has not been run yet, and will be while one reads. */
  waiting: boolean;
}

/** Lines count from 1 and the last one belongs to the segment. */
export interface Segment {
  start: number;
  end: number;
  folded: boolean;
  /** Of a folded segment: the names it defines. */
  label: string;
}

/** Lines of which the first one is enough at first, or a label in their place. */
export interface InnerFold {
  start: number;
  end: number;
  label: string;
}

/** A line of the source that implements a numbered equation. */
export interface Mark {
  line: number;
  equation: string;
}

/** A function of the cell in steps, which cover its lines but for blank ones. */
export interface Beside {
  name: string;
  start: number;
  end: number;
  steps: Step[];
}

export interface Step {
  start: number;
  end: number;
  /** What is said beside its lines: one line of Markdown, or empty. */
  words: string;
  /** The lines that the words are made of. */
  moved: number[];
}

/** A function of the cell (lines start to end) and how it is written in PyTorch. */
export interface Twin {
  function: string;
  name: string;
  start: number;
  end: number;
  source: string;
  /** The PyTorch cell that holds it. */
  cell: string;
}

export type Output =
  | { kind: 'text'; text: string; stream: 'stdout' | 'value' }
  | { kind: 'figure'; file: string; alt: string; width: number; height: number; frames?: FrameFiles };

/** The pictures behind a slider, one a value. */
export interface FrameFiles {
  label: string;
  values: string[];
  /** The one that is shown first. */
  start: number;
  files: string[];
  width: number;
  height: number;
}

/** How many findings hold, mostly hold, and there are. */
export interface Tally {
  holds: number;
  mostly: number;
  of: number;
}

/** `results/<folder>.json` as it is. */
export interface Findings {
  lesson: string;
  track: Track;
  hash: string;
  date: string;
  machine: { processor: string; cores: number; system: string; python: string; numpy: string; blas: string[] };
  seeds: number;
  seconds: number;
  /** What measures all of it again. */
  command: string;
  findings: Finding[];
}

export interface Finding {
  name: string;
  question: string;
  /** The answer that the measurement can refute. */
  statement: string;
  unit: string;
  sense: '<' | '<=' | '>' | '>=';
  /** null if the rival alone is the bar. */
  bar: number | null;
  /** The strongest rival that was measured; "" if there is none. */
  rival_is: string;
  /** One a seed; null where a run had none. */
  values: (number | null)[];
  rivals: (number | null)[];
  median: number | null;
  rival_median: number | null;
  /** 95 %, of the mean over seeds, and of the mean difference value − rival. */
  interval: [number, number] | null;
  difference: [number, number] | null;
  /** One a seed, where both are right answers on one test set: McNemar's test. */
  pairs: { only_value: number; only_rival: number; of: number; p: number }[];
  verdict: 'holds' | 'mostly' | 'not seen';
  seeds_for: number;
  /** What the paper reports; "" if nothing of the kind. */
  paper: string;
  /** Why it does not hold. */
  miss: string;
}

/** One entry of `cells.json`: the raw source that a runtime needs. */
export interface CellSource {
  id: string;
  track: Track | 'shared';
  source: string;
  torchSource?: string;
  data: boolean;
  /** The cells it depends on. */
  needs: string[];
}

/** An entry of `practice.json`. */
export interface Exercise {
  name: string;
  title: string;
  /** The lesson's folder and title. */
  folder: string;
  lesson: string;
  /** 1 to 5. */
  difficulty: number;
  minutes: number;
  track: Track;
  task: string;
  hints: string[];
  why: string;
  starter: string;
  solution: string;
  /** Another one as soon as what is asked for is another. */
  hash: string;
  /** Can be graded in the browser. */
  browser: boolean;
  /** Interviewers ask for it. */
  asked: boolean;
  example: Example;
}

/** Small arguments and what the solution makes of them, as texts (groundup.reader.examples). */
export interface Example {
  arguments: Record<string, string>;
  value: string;
  upstream: string;
  /** Of the arguments, where there is a backward. */
  gradients: Record<string, string>;
  /** The same as one line of Python, or "". */
  call: string;
  /** Another draw gives another value. */
  random: boolean;
}
