import type { Section } from './sections';
import { sectionsOf, shown, watchSections } from './sections';
import type { LessonProgress } from './store';
import { changeLesson, follow, getProgress, lessonOf, share, subscribe } from './store';
import './progress.css';

/** Remembers what is read and run on a lesson's page, and shows it: ticks in the outline, a line under the header. */
export function mountProgress(page: Document): void {
  follow();
  const folder = page.body.dataset.lesson;
  if (page.body.dataset.page !== 'lesson' || !folder) return;
  const sections = sectionsOf(page);
  const known = new Set(sections.map(({ id }) => id));
  const saved = (): LessonProgress => lessonOf(getProgress(), folder);
  const readNow = (): string[] => saved().read.filter((id) => known.has(id)); // a lesson's headings may have changed

  const mark = doneMark(page, () => {
    const done = !saved().done;
    changeLesson(folder, () => ({ done, read: done ? readNow() : [] }));
  });
  const bar = progressBar(page);
  const show = (): void => {
    const lesson = saved();
    const read = new Set(lesson.read);
    for (const section of sections) tick(section, lesson.done || read.has(section.id));
    bar?.style.setProperty('--share', String(share({ ...lesson, read: readNow() })));
    mark(lesson.done);
  };
  subscribe(show);
  show();

  changeLesson(folder, () => ({ sections: shown(sections).length }));
  page.addEventListener('groundup:ran', (event) => {
    const { lesson, cell } = (event as CustomEvent<{ lesson: string; cell: string }>).detail;
    if (lesson !== folder || saved().ran.includes(cell)) return;
    changeLesson(folder, (before) => ({ ran: [...before.ran, cell] }));
  });
  const end = page.querySelector('main article') ?? page.body;
  watchSections(sections, end, (id) => saved().read.includes(id), {
    read(id) {
      const read = [...readNow(), id];
      const present = shown(sections);
      const all = present.every((section) => read.includes(section.id));
      changeLesson(folder, ({ done }) => ({ read, sections: present.length, done: done || all }));
    },
    at(id) {
      if (id === saved().at) return;
      const heading = sections.find((section) => section.id === id)?.words ?? '';
      changeLesson(folder, () => ({ at: id, heading }));
    },
  });
}

/** A tick beside a section that is read, in words for those who do not see it. */
function tick({ link }: Section, read: boolean): void {
  const mark = link.querySelector('.progress-tick');
  if (!read) mark?.remove();
  if (!read || mark) return;
  const fresh = link.ownerDocument.createElement('span');
  fresh.className = 'progress-tick';
  fresh.setAttribute('role', 'img');
  fresh.setAttribute('aria-label', 'read');
  link.append(fresh);
}

/** A line along the header's lower edge as long as the share that is read. */
function progressBar(page: Document): HTMLElement | null {
  const header = page.querySelector('body > header, header');
  if (!header) return null;
  const bar = page.createElement('div');
  bar.className = 'progress-bar';
  bar.setAttribute('aria-hidden', 'true'); // the outline says the same in words
  header.append(bar);
  return bar;
}

/** The button at the page's end with a word on where the reader stands; answers with a function that updates both. */
function doneMark(page: Document, onPress: () => void): (done: boolean) => void {
  const place =
    page.querySelector('[data-mark-read]') ?? page.querySelector('main article') ?? page.querySelector('main');
  const line = page.createElement('p');
  const button = page.createElement('button');
  const words = page.createElement('span');
  line.className = 'progress-done';
  button.type = 'button';
  button.className = 'progress-mark';
  button.addEventListener('click', onPress);
  words.setAttribute('role', 'status');
  line.append(button, words);
  place?.append(line);
  return (done) => {
    button.textContent = done ? 'Mark as unread' : 'Mark as read';
    words.textContent = done ? '✓ You have read this lesson.' : '';
  };
}
