// What the reader can do with the cells of a lesson.
import { unfold } from '../reading/targets';
import type { Runtime } from '../runtime/types';
import { patch } from './atom';
import { builtText, type LiveCell, readPage } from './page';
import { createSession, type Session } from './session';
import { createState, type LessonState } from './state';
import { createTexts, type Texts } from './texts';

export interface EditorHandle {
  /** Takes the focus, at this line if one is given. */
  focus(line?: number): void;
}

export interface Lesson {
  state: LessonState;
  texts: Texts;
  session: Session;
  /** Editors on the screen, by cell. */
  editors: Map<string, EditorHandle>;
  open(id: string): void;
  close(id: string): void;
  /** Back to the lesson's text and the build's output. */
  reset(id: string): void;
  resetAll(): void;
  /** The code as the reader sees it. */
  text(id: string): string;
  /** Goes to a line of an edited cell; for others, opens the folds around it and leaves the rest to the link. */
  jump(id: string, line: number): boolean;
  /** An editor is there. */
  opened(id: string, editor: EditorHandle): void;
  /** The cells that use what a cell defines and can run here, in their order. */
  users(id: string): Promise<string[]>;
  /** Runs the cell, or says how to where it cannot be run here. */
  run(id: string): void;
}

/** Whether this cell runs somewhere else only. */
export function runsElsewhere({ why }: LiveCell, kind: Runtime['kind'] | null): boolean {
  return kind === 'none' || (kind === 'pyodide' && why !== '');
}

export function createLesson(document: Document): Lesson | null {
  const page = readPage(document);
  if (!page?.cells.length) return null;
  const state = createState(page);
  const session = createSession(state, () => texts);
  const texts = createTexts(state, () => session.review.look());
  const editors = new Map<string, EditorHandle>();
  let wanted: { id: string; line: number } | null = null;
  const show = (id: string, open: boolean) => {
    const cell = state.cells.get(id);
    if (cell) patch(cell, { open });
  };

  function reset(id: string): void {
    texts.reset(id);
    session.forget(id);
    show(id, false);
    state.said.set(`${id} is as the lesson has it`);
  }

  return {
    state,
    texts,
    session,
    editors,
    open: (id) => show(id, true),
    close: (id) => show(id, false),
    reset,
    resetAll() {
      for (const [id, cell] of state.cells) if (cell.get().edit !== null) reset(id);
      texts.resetAll();
      state.said.set('All cells are as the lesson has them');
    },
    text(id) {
      const cell = page.cells.find((one) => one.id === id);
      return state.cells.get(id)?.get().edit ?? (cell ? builtText(cell) : '');
    },
    jump(id, line) {
      const cell = state.cells.get(id)?.get();
      if (cell?.open || (cell && cell.edit !== null)) {
        const editor = editors.get(id);
        if (!editor) wanted = { id, line };
        show(id, true);
        editor?.focus(line);
        return true;
      }
      const target = document.getElementById(`${id}-L${line}`);
      if (target) unfold(target);
      return false;
    },
    opened(id, editor) {
      editors.set(id, editor);
      editor.focus(wanted?.id === id ? wanted.line : undefined);
      wanted = null;
    },
    async users(id) {
      const sources = await texts.load();
      const track = sources.get(id)?.track;
      return page.cells.flatMap((cell) => {
        const source = sources.get(cell.id);
        const same = track === 'shared' || cell.track === 'shared' || cell.track === track;
        const shown = cell.section.getClientRects().length > 0;
        return source?.needs.includes(id) && same && shown && !runsElsewhere(cell, state.kind.get()) ? [cell.id] : [];
      });
    },
    run(id) {
      const cell = page.cells.find((one) => one.id === id);
      const shown = state.cells.get(id);
      if (!cell || !shown) return;
      if (runsElsewhere(cell, state.kind.get())) {
        patch(shown, { help: true });
        return;
      }
      // The words on the run before go now, and with them any button that has the focus.
      const words = cell.section.querySelector('.cell-strip');
      if (words?.contains(document.activeElement)) cell.actions.querySelector<HTMLElement>('.cell-run')?.focus();
      session.run(id);
    },
  };
}
