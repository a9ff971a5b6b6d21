/** Shows on every page what comes next: in the header, at the end of a lesson, beside the exercise before. */
import { CHANGED } from '../practice/store';
import { getProgress, subscribe } from '../progress/store';
import { loadWay, type Way } from './data';
import { chosenPath, exercisePage, isRead, lessonPage, nextExercise, nextLesson, order } from './next';
import './way.css';

interface Step {
  href: string;
  title: string;
  /** "Next lesson", or what else it is. */
  kind: string;
}

export function mountWay(page: Document): void {
  const { root = '', lesson } = page.body.dataset;
  const desk = page.querySelector<HTMLElement>('[data-desk]')?.dataset;
  void loadWay(root).then((way) => {
    if (!way) return;
    const show = (): void => {
      const step = (desk && stepAfterExercise(way, root, desk)) || stepToLesson(way, root, lesson ?? desk?.folder);
      showHeader(page, step);
      if (lesson === undefined && !desk) return;
      showNeighbour(page, 'next', step);
      if (lesson === undefined) return;
      showNeighbour(page, 'prev', stepBack(way, root, lesson));
      showEnd(page, way, root, lesson, step);
    };
    subscribe(show);
    page.addEventListener(CHANGED, show);
    window.addEventListener('storage', show); // another tab
    show();
  });
}

function stepToLesson(way: Way, root: string, here: string | undefined): Step | undefined {
  const progress = getProgress();
  const lesson = nextLesson(way, progress, here ?? progress.last);
  const path = chosenPath(way, progress);
  const kind = path ? `Next on the path “${path.title}”` : 'Next lesson';
  return lesson && { href: lessonPage(root, lesson), title: lesson.title, kind };
}

function stepAfterExercise(way: Way, root: string, { folder = '', name }: DOMStringMap): Step | undefined {
  const exercise = nextExercise(way, folder, name);
  return exercise && { href: exercisePage(root, exercise), title: exercise.title, kind: 'Next exercise' };
}

/** Only on a chosen path: else the link that came with the page is right. */
function stepBack(way: Way, root: string, here: string): Step | undefined {
  const progress = getProgress();
  const path = chosenPath(way, progress);
  const before = path?.lessons[path.lessons.indexOf(here) - 1];
  const lesson = way.lessons.find(({ folder }) => folder === before);
  return path && lesson && { href: lessonPage(root, lesson), title: lesson.title, kind: 'Before on this path' };
}

function showHeader(page: Document, step: Step | undefined): void {
  const link = page.querySelector<HTMLAnchorElement>('a[data-next]');
  if (!link) return;
  link.hidden = !step;
  if (!step) return;
  const title = page.createElement('span');
  title.textContent = step.title;
  link.href = step.href;
  link.title = step.title;
  link.replaceChildren('Next', title);
}

/** The link at the page's end. What came with the page stays where there is nothing better. */
function showNeighbour(page: Document, rel: 'prev' | 'next', step: Step | undefined): void {
  const nav = page.querySelector('nav.neighbours');
  const old = rel === 'prev' ? nav?.firstElementChild : nav?.lastElementChild;
  if (!old || (!step && rel === 'prev')) return;
  if (!step) {
    old.replaceWith(page.createElement('span'));
    return;
  }
  const link = page.createElement('a');
  const kind = page.createElement('small');
  link.className = rel;
  link.rel = rel;
  link.href = step.href;
  kind.textContent = step.kind;
  link.append(kind, step.title);
  old.replaceWith(link);
}

/** Below the button that marks a lesson as read: where to go on, and what to try first. */
function showEnd(page: Document, way: Way, root: string, here: string, step: Step | undefined): void {
  const place = page.querySelector<HTMLElement>('[data-onwards]');
  if (!place) return;
  const progress = getProgress();
  place.classList.toggle('is-read', isRead(progress, here));
  const lines = [step ? lessonLine(page, way, root, step) : finished(page, way, root)];
  const exercise = nextExercise(way, here);
  if (exercise) {
    const line = page.createElement('p');
    line.append('Or first write a function of this lesson yourself: ');
    line.append(linkTo(page, exercisePage(root, exercise), exercise.title), `, ${exercise.minutes} minutes.`);
    lines.push(line);
  }
  place.replaceChildren(...lines);
}

function lessonLine(page: Document, way: Way, root: string, step: Step): HTMLElement {
  const line = page.createElement('p');
  const link = linkTo(page, step.href, step.title);
  const words = page.createElement('span');
  const lesson = way.lessons.find((one) => lessonPage(root, one) === step.href);
  link.className = 'onwards-button';
  words.textContent = lesson ? `${lesson.summary.replace(/\.$/, '')}. ${lesson.minutes} minutes.` : '';
  const kind = page.createElement('b');
  kind.textContent = step.kind;
  line.className = 'onwards-lesson';
  line.append(kind, link, words);
  return line;
}

function finished(page: Document, way: Way, root: string): HTMLElement {
  const line = page.createElement('p');
  const path = chosenPath(way, getProgress());
  if (path && order(way, { ...getProgress(), path: undefined }).some((folder) => !isRead(getProgress(), folder))) {
    line.append(`You have read all of the path “${path.title}”. `);
    line.append(linkTo(page, `${root}#paths`, 'Choose another one'), '.');
  } else line.append('There is no lesson that you have not read.');
  return line;
}

function linkTo(page: Document, href: string, text: string): HTMLAnchorElement {
  const link = page.createElement('a');
  link.href = href;
  link.textContent = text;
  return link;
}
