import { createRoot } from 'react-dom/client';
import type { RuntimeConfig } from '../runtime/types';
import { CellView, type Hosts } from './CellView';
import { Announcer, EditedCells, RuntimeBadge } from './Extras';
import { goOnKeys } from './keys';
import { createLesson, type Lesson } from './lesson';
import type { LiveCell } from './page';
import './cells.css';
import './editor.css';
import './output.css';

/** Wakes the code cells of a lesson page: Run, Edit, Reset, Copy. */
export function mountCells(document: Document): void {
  const lesson = createLesson(document);
  if (!lesson) return;
  const { cells } = lesson.state.page;
  const hosts = new Map(cells.map((cell) => [cell.id, addHosts(cell)]));
  const root = document.createElement('div');
  root.className = 'cells-root';
  document.body.append(root);
  createRoot(root).render(
    <>
      {cells.map((cell) => {
        const places = hosts.get(cell.id);
        return places && <CellView key={cell.id} cell={cell} hosts={places} lesson={lesson} />;
      })}
      <EditedCells lesson={lesson} host={document.querySelector<HTMLElement>('.lesson-head') ?? root} />
      <RuntimeBadge lesson={lesson} host={document.querySelector<HTMLElement>('[data-runtime]') ?? root} />
      <Announcer lesson={lesson} />
    </>,
  );
  document.addEventListener('keydown', (event) => runOnKey(event, lesson));
  goOnKeys(document);
  whenIdle(() => {
    void findRuntime(lesson);
    // An edit may be of a text that has changed since.
    if (lesson.state.edited.get()) lesson.texts.load().catch(() => {});
  });
}

function addHosts({ id, section, code, output }: LiveCell): Hosts {
  const add = (name: string) => {
    const host = code.ownerDocument.createElement('div');
    host.className = name;
    return host;
  };
  const hosts = { top: add('cell-top'), edit: add('cell-edit'), live: add('cell-live') };
  section.tabIndex = -1; // a click into the code gives the cell the focus, and so the keys that run it
  hosts.live.id = `live-${id}`;
  (code.closest('.code-fold') ?? code).before(hosts.top);
  code.after(hosts.edit);
  output.before(hosts.live);
  return hosts;
}

/** Shift+Enter and Ctrl+Enter run the cell that has the focus. The editor sees to itself. */
function runOnKey(event: KeyboardEvent, lesson: Lesson): void {
  const { target, key, shiftKey, ctrlKey, metaKey, defaultPrevented } = event;
  if (key !== 'Enter' || !(shiftKey || ctrlKey || metaKey) || defaultPrevented) return;
  if (!(target instanceof Element) || target.closest('a')) return;
  const id = target.closest<HTMLElement>('section.cell[data-live]')?.dataset.cell;
  if (!id) return;
  event.preventDefault();
  lesson.run(id);
}

/** Where cells run decides what their buttons say. The code that runs them comes with the first run. */
async function findRuntime(lesson: Lesson): Promise<void> {
  const { root, document } = lesson.state.page;
  try {
    const answer = await fetch(new URL(`${root}runtime.json`, document.baseURI));
    const config = (await answer.json()) as RuntimeConfig;
    lesson.state.kind.set(config.kind);
  } catch {
    // Offline, perhaps only for now: the first run will say so.
  }
}

function whenIdle(action: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(action, { timeout: 1000 });
  else setTimeout(action, 200);
}
