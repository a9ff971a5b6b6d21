// What comes next: the same answer for the button on the front page, the header and the end of a lesson.

import { isSolved } from '../practice/states';
import type { Progress } from '../progress/store';
import { lessonOf, share } from '../progress/store';
import type { Way, WayExercise, WayLesson } from './data';

export const isRead = (progress: Progress, folder: string): boolean => share(lessonOf(progress, folder)) >= 1;

/** The path that the reader has chosen, if the site still has it. */
export function chosenPath(way: Way, progress: Progress): Way['paths'][number] | undefined {
  return way.paths.find(({ slug }) => slug === progress.path);
}

/** The lessons in the order in which they are read: those of the chosen path, or all. */
export function order(way: Way, progress: Progress): string[] {
  return chosenPath(way, progress)?.lessons ?? way.lessons.map(({ folder }) => folder);
}

/** The first lesson not yet read after `here`, or else before it. */
export function nextLesson(way: Way, progress: Progress, here: string | null): WayLesson | undefined {
  const folders = order(way, progress);
  const start = here === null ? 0 : folders.indexOf(here) + 1;
  const found = [...folders.slice(start), ...folders.slice(0, start)].find(
    (folder) => folder !== here && !isRead(progress, folder),
  );
  return way.lessons.find(({ folder }) => folder === found);
}

/** The first exercise of a lesson not yet solved; after `here`, or else before it. */
export function nextExercise(way: Way, folder: string, here = ''): WayExercise | undefined {
  const own = way.exercises.filter((one) => one.folder === folder);
  const start = own.findIndex(({ name }) => name === here) + 1;
  return [...own.slice(start), ...own.slice(0, start)].find((one) => one.name !== here && !isSolved(one));
}

export const lessonPage = (root: string, { folder }: WayLesson): string => `${root}lessons/${folder}/`;
export const exercisePage = (root: string, { name }: WayExercise): string => `${root}practice/${name}/`;
