// What this device remembers about reading: groundup:progress, guarded against private mode and foreign content.

import { isFull } from '../storage';

export interface LessonProgress {
  read: string[];
  sections: number;
  ran: string[];
  done: boolean;
  at: string;
  /** The words of the heading at `at`, for the front page, which does not know the lessons' sections. */
  heading?: string;
  time: number;
}

export interface Progress {
  version: 1;
  lessons: Record<string, LessonProgress>;
  last: string | null;
  /** The learning path that the reader follows. */
  path?: string | undefined;
}

export const PROGRESS_KEY = 'groundup:progress';
const BROKEN_KEY = 'groundup:progress:broken';

const listeners = new Set<() => void>();
let memory: Progress = { version: 1, lessons: {}, last: null }; // the last known state, and all there is in private mode
let memoryText = ''; // what the storage held when `memory` was read from it
let notice = '';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function isLesson(value: unknown): value is LessonProgress {
  return (
    isRecord(value) &&
    isStrings(value.read) &&
    isStrings(value.ran) &&
    Number.isFinite(value.sections) &&
    typeof value.done === 'boolean' &&
    typeof value.at === 'string' &&
    (value.heading === undefined || typeof value.heading === 'string') &&
    Number.isFinite(value.time)
  );
}

/** The progress that a text holds, or null if it is anything else. */
export function parseProgress(text: string): Progress | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value.version !== 1 || !isRecord(value.lessons)) return null;
  const lessons: Record<string, LessonProgress> = {};
  for (const [folder, lesson] of Object.entries(value.lessons)) {
    if (!isLesson(lesson) || folder === '__proto__') return null;
    const { read, sections, ran, done, at, heading, time } = lesson;
    lessons[folder] = { read, sections, ran, done, at, ...(heading !== undefined && { heading }), time };
  }
  const { last, path } = value;
  if (last !== null && typeof last !== 'string') return null;
  if (path !== undefined && typeof path !== 'string') return null;
  return { version: 1, lessons, last, ...(path !== undefined && { path }) };
}

/** What is remembered now. Content that is no progress is set aside under another key, and reading starts afresh. */
export function getProgress(): Progress {
  try {
    const text = localStorage.getItem(PROGRESS_KEY);
    if (text === null || text === memoryText) return memory;
    const found = parseProgress(text);
    if (found) {
      memory = found;
      memoryText = text;
      return memory;
    }
    localStorage.setItem(BROKEN_KEY, text);
    localStorage.removeItem(PROGRESS_KEY);
    notice = 'The progress stored in this browser could not be read. It was set aside, and counting starts afresh.';
    memory = { version: 1, lessons: {}, last: null };
  } catch {
    notice = 'This browser does not let the page store anything, so progress lasts only until the page is closed.';
  }
  return memory;
}

/** A sentence about the storage if something is wrong with it, else "". */
export function storageNotice(): string {
  return notice;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  for (const listener of listeners) listener();
}

export function setProgress(progress: Progress): void {
  memory = progress;
  try {
    const text = JSON.stringify(progress);
    localStorage.setItem(PROGRESS_KEY, text);
    memoryText = text;
  } catch (error) {
    notice = `${isFull(error) ? 'The storage of this browser is full' : 'This browser does not let the page store anything'}, so progress lasts only until the page is closed.`;
  }
  notify();
}

/** Changes one lesson. It starts from what is stored, not from what this page saw last: another tab may have written. */
export function changeLesson(folder: string, part: (lesson: LessonProgress) => Partial<LessonProgress>): void {
  const before = getProgress();
  const lesson = lessonOf(before, folder);
  const after = { ...lesson, ...part(lesson), time: Date.now() };
  setProgress({ ...before, lessons: { ...before.lessons, [folder]: after }, last: folder });
}

/** Follows a path from now on, or none. */
export function choosePath(path: string | undefined): void {
  setProgress({ ...getProgress(), path });
}

export function lessonOf(progress: Progress, folder: string): LessonProgress {
  const empty = { read: [], sections: 0, ran: [], done: false, at: '', time: 0 };
  return (Object.hasOwn(progress.lessons, folder) && progress.lessons[folder]) || empty;
}

/** How much of a lesson is read, from 0 to 1. */
export function share(lesson: LessonProgress): number {
  if (lesson.done) return 1;
  return lesson.sections > 0 ? Math.min(1, lesson.read.length / lesson.sections) : 0;
}

const union = (one: string[], other: string[]): string[] => [...new Set([...one, ...other])];

/** Both together: what either has read, run or finished; where one value must win, the later one does. */
export function merge(mine: Progress, theirs: Progress): Progress {
  const lessons = { ...mine.lessons };
  for (const [folder, other] of Object.entries(theirs.lessons)) {
    const own = lessonOf(mine, folder);
    const later = other.time > own.time ? other : own;
    lessons[folder] = {
      ...later,
      read: union(own.read, other.read),
      ran: union(own.ran, other.ran),
      done: own.done || other.done,
    };
  }
  const newest = [mine.last, theirs.last]
    .filter((folder) => folder !== null)
    .sort((a, b) => (lessons[b]?.time ?? 0) - (lessons[a]?.time ?? 0));
  const path = mine.path ?? theirs.path;
  return { version: 1, lessons, last: newest[0] ?? null, ...(path !== undefined && { path }) };
}

/** Hears of changes that other tabs make, and of those that were made before the reader came back to this page. */
export function follow(): void {
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) notify();
  });
  window.addEventListener('storage', (event) => {
    if (event.key !== PROGRESS_KEY && event.key !== null) return;
    if (event.newValue === null) memory = { version: 1, lessons: {}, last: null };
    notify();
  });
}
