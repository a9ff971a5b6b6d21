// The button on the front page: where the reader left off, or what comes next on the path that they follow.

import { choosePath, getProgress, lessonOf } from '../progress/store';
import type { Way } from '../way/data';
import { chosenPath, exercisePage, isRead, lessonPage, nextExercise, nextLesson } from '../way/next';
import { duration } from './words';

export function showOnwards(page: Document, way: Way): void {
  const place = page.querySelector<HTMLElement>('[data-continue]');
  if (!place) return;
  const lines = onwards(page, way);
  const path = pathLine(page, way);
  if (path) lines.push(path);
  place.hidden = lines.length === 0;
  place.closest('.opening')?.classList.toggle('opening-again', lines.length > 0);
  place.replaceChildren(...lines);
}

function onwards(page: Document, way: Way): HTMLElement[] {
  const progress = getProgress();
  const last = way.lessons.find(({ folder }) => folder === progress.last);
  if (!last && !chosenPath(way, progress)) return []; // the button that came with the page begins with the first
  if (last && !isRead(progress, last.folder)) {
    const { at, heading } = lessonOf(progress, last.folder);
    const href = `${lessonPage('', last)}${at ? `#${at}` : ''}`;
    return [button(page, href, 'Continue where you left off', heading ? `${last.title}: ${heading}` : last.title)];
  }
  const lines: HTMLElement[] = [];
  const lesson = nextLesson(way, progress, last?.folder ?? null);
  if (lesson) lines.push(button(page, lessonPage('', lesson), `Next: ${lesson.title}`, duration(lesson.minutes)));
  const exercise = last && nextExercise(way, last.folder);
  if (exercise && lesson) {
    const line = page.createElement('p');
    const link = page.createElement('a');
    link.href = exercisePage('', exercise);
    link.textContent = exercise.title;
    line.className = 'opening-else';
    line.append(`or, from ${last.title}, write a function yourself: `, link);
    lines.push(line);
  } else if (exercise)
    lines.push(button(page, exercisePage('', exercise), 'Practise what you have read', exercise.title));
  else if (!lesson)
    lines.push(button(page, 'practice/', 'Practise', 'There is no lesson left here that you have not read.'));
  return lines;
}

function button(page: Document, href: string, title: string, words: string): HTMLElement {
  const line = page.createElement('p');
  const link = page.createElement('a');
  const beside = page.createElement('span');
  line.className = 'opening-continue';
  link.className = 'opening-button';
  link.href = href;
  link.textContent = title;
  beside.textContent = words;
  line.append(link, beside);
  return line;
}

/** How far one is on the path that one has chosen. */
function pathLine(page: Document, way: Way): HTMLElement | null {
  const progress = getProgress();
  const path = chosenPath(way, progress);
  if (!path) return null;
  const read = path.lessons.filter((folder) => isRead(progress, folder)).length;
  const line = page.createElement('p');
  const link = page.createElement('a');
  link.href = `#path-${path.slug}`;
  link.textContent = path.title;
  line.className = 'opening-else';
  line.append('Your path: ', link, `, ${read} of ${path.lessons.length} lessons read.`);
  return line;
}

/** Shows where on the map the reader is, and unfolds that part of its list. */
export function showPlace(page: Document, way: Way): void {
  const progress = getProgress();
  const { last } = progress;
  const here = last !== null && !isRead(progress, last) ? last : nextLesson(way, progress, last)?.folder;
  for (const one of page.querySelectorAll<HTMLElement | SVGElement>('.map-node, .map-list li')) {
    const next = one.dataset.lesson === here;
    one.classList.toggle('is-next', next);
    const part = one.closest('details');
    if (next && part) part.open = true;
  }
  const line = page.querySelector<HTMLElement>('[data-place]');
  const lesson = last !== null && way.lessons.find(({ folder }) => folder === here);
  if (!line) return;
  line.hidden = !lesson;
  if (!lesson) return;
  const link = page.createElement('a');
  link.href = lessonPage('', lesson);
  link.textContent = lesson.title;
  link.addEventListener('click', (event) => {
    event.preventDefault();
    for (const one of page.querySelectorAll<HTMLElement | SVGElement>('.map-node.is-next, .map-list .is-next > a')) {
      if (!one.checkVisibility()) continue;
      one.scrollIntoView({ block: 'center' });
      one.focus({ preventScroll: true });
    }
  });
  line.replaceChildren('You are here: ', link);
}

/** The buttons that choose a path. */
export function wakePaths(page: Document): void {
  for (const one of page.querySelectorAll<HTMLButtonElement>('button[data-follow]')) {
    one.hidden = false;
    one.addEventListener('click', () => {
      const { follow } = one.dataset;
      choosePath(getProgress().path === follow ? undefined : follow);
    });
  }
}

export function showChosen(page: Document): void {
  const { path } = getProgress();
  for (const one of page.querySelectorAll<HTMLButtonElement>('button[data-follow]')) {
    const chosen = one.dataset.follow === path;
    one.closest('.path')?.classList.toggle('is-chosen', chosen);
    one.textContent = chosen ? '✓ You follow this path' : 'Follow this path';
  }
}
