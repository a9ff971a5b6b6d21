// Which text each cell has now: the lesson's, or the reader's edit of it.
import type { CellSource } from '../data';
import type { Track } from '../runtime/types';
import { patch } from './atom';
import { type Edit, editsKey, hash, readEdits, writeEdits } from './edits';
import type { LessonState } from './state';

const WAIT = 300; // milliseconds of no typing before an edit is stored

export interface Texts {
  /** All code cells of the lesson in order; loaded once. */
  load(): Promise<Map<string, CellSource>>;
  /** The lesson's own text. Throws before it is loaded. */
  original(id: string): string;
  /** What a session of this track runs for a cell. */
  current(source: CellSource, track: Track): string;
  edited(id: string): boolean;
  /** The other cells of a cell's track, as they are now. */
  around(id: string): string[];
  change(id: string, text: string): void;
  reset(id: string): void;
  resetAll(): void;
}

export function createTexts(state: LessonState, changed: () => void): Texts {
  const { folder, root, document } = state.page;
  const edits = readEdits(folder);
  const unsaved = new Map<string, Edit | null>();
  let loading: Promise<Map<string, CellSource>> | undefined;
  let sources = new Map<string, CellSource>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  for (const [id, edit] of edits) {
    const cell = state.cells.get(id);
    if (cell) patch(cell, { edit: edit.source });
    else edits.delete(id); // a cell that the lesson no longer has; what is stored stays
  }
  state.edited.set(edits.size);
  addEventListener('pagehide', save);
  document.addEventListener('visibilitychange', save);
  window.addEventListener('storage', ({ key }) => (key === editsKey(folder) || key === null) && adopt());
  window.addEventListener('pageshow', ({ persisted }) => persisted && adopt());

  async function fetchSources(): Promise<Map<string, CellSource>> {
    const answer = await fetch(new URL(`${root}lessons/${folder}/cells.json`, document.baseURI));
    if (!answer.ok) throw new Error(`The cells of this lesson could not be loaded (${answer.status}).`);
    const cells = (await answer.json()) as CellSource[];
    sources = new Map(cells.map((cell) => [cell.id, cell]));
    for (const [id, edit] of edits) {
      const text = sources.get(id)?.source;
      const cell = state.cells.get(id);
      if (text === undefined || !cell) continue;
      if (text === edit.source) put(id, null);
      else patch(cell, { drifted: hash(text) !== edit.of });
    }
    return sources;
  }

  function save(): void {
    clearTimeout(timer);
    if (!unsaved.size) return;
    if (writeEdits(folder, unsaved)) unsaved.clear(); // else the next change tries it all again
    changed();
  }

  /** What another tab of this lesson has written is the text here too, unless something newer is on its way out. */
  function adopt(): void {
    const stored = readEdits(folder);
    for (const [id, cell] of state.cells) {
      const theirs = stored.get(id);
      if (unsaved.has(id) || theirs?.source === edits.get(id)?.source) continue;
      if (theirs) edits.set(id, theirs);
      else edits.delete(id);
      const original = sources.get(id)?.source;
      const drifted = theirs !== undefined && original !== undefined && hash(original) !== theirs.of;
      patch(cell, { edit: theirs?.source ?? null, drifted, elsewhere: true });
    }
    state.edited.set(edits.size);
    changed();
  }

  function put(id: string, edit: Edit | null): void {
    const cell = state.cells.get(id);
    if (!cell) return;
    if (edit) edits.set(id, edit);
    else edits.delete(id);
    patch(cell, { edit: edit?.source ?? null, elsewhere: false, ...(!edit && { drifted: false }) });
    state.edited.set(edits.size);
    unsaved.set(id, edit);
    clearTimeout(timer);
    timer = setTimeout(save, WAIT);
  }

  function original(id: string): string {
    const found = sources.get(id);
    if (!found) throw new Error(`no text of cell ${id}`);
    return found.source;
  }

  return {
    load() {
      loading ??= fetchSources().catch((error: unknown) => {
        loading = undefined; // the next try may find the network again
        throw error;
      });
      return loading;
    },
    original,
    current: ({ id, source, torchSource }, track) =>
      edits.get(id)?.source ?? (track === 'torch' ? torchSource : undefined) ?? source,
    edited: (id) => edits.has(id),
    around(id) {
      const track = sources.get(id)?.track;
      const other = track === 'torch' ? 'numpy' : 'torch';
      return [...sources.values()].flatMap((one) =>
        one.id === id || one.data || one.track === other ? [] : [edits.get(one.id)?.source ?? one.source],
      );
    },
    change(id, text) {
      const before = original(id);
      put(id, text === before ? null : { source: text, of: hash(before) });
    },
    reset(id) {
      put(id, null);
      save();
    },
    resetAll() {
      for (const id of [...edits.keys()]) put(id, null);
      save();
    },
  };
}
