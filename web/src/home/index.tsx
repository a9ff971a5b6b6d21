import { createRoot } from 'react-dom/client';
import { ProgressActions } from '../progress/ProgressActions';
import { getProgress, lessonOf, share, subscribe } from '../progress/store';
import { loadWay, type Way } from '../way/data';
import { wakeMap } from './highlight';
import { showChosen, showOnwards, showPlace, wakePaths } from './onwards';
import { count } from './words';
import './home.css';
import './map.css';

/** Adds what only this device knows: what comes next, what is read, and which Python runs the cells. */
export function mountHome(page: Document): void {
  wakeMap(page);
  wakePaths(page);
  const actions = page.querySelector('[data-progress-actions]');
  if (actions) createRoot(actions).render(<ProgressActions />);
  let way: Way | null = null;
  const show = (): void => {
    if (way) {
      showOnwards(page, way);
      showPlace(page, way);
    }
    showChosen(page);
    showRead(page);
    showParts(page);
    showPaths(page);
    showSummary(page);
  };
  subscribe(show);
  show();
  void loadWay(page.body.dataset.root ?? '').then((found) => {
    way = found;
    show();
  });
  void tellRuntime(page);
}

/** Marks lessons as read, or how far, in the map, in its list form and in the paths. */
function showRead(page: Document): void {
  const progress = getProgress();
  for (const element of page.querySelectorAll<HTMLElement | SVGElement>('[data-lesson]')) {
    const folder = element.dataset.lesson;
    if (!folder || element === page.body) continue;
    const part = share(lessonOf(progress, folder));
    const words = part >= 1 ? '✓ read' : part > 0 ? `${Math.max(1, Math.round(part * 100))} % read` : '';
    element.classList.toggle('is-read', part >= 1);
    element.style.setProperty('--share', String(part));
    const tick = element.querySelector('.map-read, .home-tick');
    if (tick) tick.textContent = words;
    const meta = element.querySelector('.map-meta')?.firstChild?.textContent;
    if (!meta) continue;
    element.dataset.label ??= element.getAttribute('aria-label') ?? '';
    element.setAttribute('aria-label', element.dataset.label.replace(meta, `${meta} ${words}`.trim()));
  }
}

/** How many lessons of a part are read, beside its name on the map and in the list. */
function showParts(page: Document): void {
  const progress = getProgress();
  for (const place of page.querySelectorAll<HTMLElement | SVGElement>('.map [data-part]')) {
    const { part = '' } = place.dataset;
    const summary = [...page.querySelectorAll('.map-list summary')].find(
      (one) => one.querySelector('h3')?.textContent === part,
    );
    const lessons = [...(summary?.parentElement?.querySelectorAll<HTMLElement>('li[data-lesson]') ?? [])];
    const read = lessons.filter(({ dataset }) => share(lessonOf(progress, dataset.lesson ?? '')) >= 1).length;
    place.textContent = read > 0 ? `${read} of ${lessons.length} read` : count(lessons.length, 'lesson');
  }
}

function showPaths(page: Document): void {
  const progress = getProgress();
  for (const path of page.querySelectorAll('[data-path]')) {
    const lessons = [...path.querySelectorAll<HTMLElement>('li[data-lesson]')];
    const read = lessons.reduce((sum, { dataset }) => sum + share(lessonOf(progress, dataset.lesson ?? '')), 0);
    const bar = path.querySelector('progress');
    if (bar) bar.value = read;
    const done = path.querySelector('.path-done');
    if (done) done.textContent = read > 0 ? `· ${Math.max(1, Math.round((100 * read) / lessons.length))} % read` : '';
  }
}

function showSummary(page: Document): void {
  const place = page.querySelector('[data-progress-summary]');
  if (!place) return;
  const { lessons } = getProgress();
  const all = page.querySelectorAll('.map-node').length;
  const records = Object.values(lessons);
  const done = records.filter((lesson) => lesson.done).length;
  const sections = records.reduce((sum, lesson) => sum + lesson.read.length, 0);
  const cells = records.reduce((sum, lesson) => sum + lesson.ran.length, 0);
  const parts = [
    done > 0 && `${done} of ${count(all, 'lesson')} finished`,
    sections > 0 && `${count(sections, 'section')} read`,
    cells > 0 && `${count(cells, 'cell')} run`,
  ].filter((part) => part !== false);
  place.textContent = parts.length > 0 ? `So far: ${parts.join(', ')}.` : 'Nothing read yet.';
}

/** One true sentence on where the cells run, once the site's runtime.json says. */
async function tellRuntime(page: Document): Promise<void> {
  const note = page.querySelector('[data-runtime-note]');
  if (!note) return;
  try {
    const answer: unknown = await (await fetch(`${page.body.dataset.root ?? ''}runtime.json`)).json();
    const kind = (answer as { kind?: unknown } | null)?.kind;
    if (kind === 'kernel')
      note.textContent = 'Python is running behind these pages: every cell, NumPy or PyTorch, runs on this machine.';
    if (kind === 'pyodide') {
      const get = page.createElement('a');
      get.href = '#get';
      get.textContent = 'your own machine';
      const where = page.createElement('span');
      where.append('NumPy cells run right here in the browser; on ', get, ' PyTorch and the long ones run too.');
      note.replaceChildren(where);
    }
  } catch {
    // no runtime.json: the sentence that came with the page is true everywhere
  }
}
