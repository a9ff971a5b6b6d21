// way.json, what leads on from a page: lessons, paths and exercises in their order, as the build writes it.

import type { Exercise, Site } from '../data';

export interface Way {
  version: 1;
  /** In the order of the contents. */
  lessons: WayLesson[];
  paths: { slug: string; title: string; lessons: string[] }[];
  exercises: WayExercise[];
}

export interface WayLesson {
  folder: string;
  title: string;
  summary: string;
  minutes: number;
}

export interface WayExercise {
  name: string;
  title: string;
  folder: string;
  minutes: number;
  hash: string;
}

/** The text of way.json. */
export function buildWay(site: Site, exercises: Exercise[]): string {
  const way: Way = {
    version: 1,
    lessons: site.lessons.map(({ folder, title, summary, minutes }) => ({ folder, title, summary, minutes })),
    paths: site.paths.map(({ slug, title, lessons }) => ({ slug, title, lessons })),
    exercises: exercises.map(({ name, title, folder, minutes, hash }) => ({ name, title, folder, minutes, hash })),
  };
  return JSON.stringify(way);
}

let loading: Promise<Way | null> | undefined;

/** The file, loaded once a page; null where it cannot be had: then the links that came with the page stand. */
export function loadWay(root: string): Promise<Way | null> {
  loading ??= fetch(`${root}way.json`)
    .then(async (answer) => (answer.ok ? ((await answer.json()) as Way) : null))
    .catch(() => null);
  return loading;
}
