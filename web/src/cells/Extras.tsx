// What belongs to the whole page: the reset of all edits, the Python in the header, and words for screen readers.
import { createPortal } from 'react-dom';
import { useAtom } from './atom';
import type { Lesson } from './lesson';
import { count } from './words';

export function EditedCells({ lesson, host }: { lesson: Lesson; host: HTMLElement }) {
  const edited = useAtom(lesson.state.edited);
  if (!edited) return null;
  const reset = () => {
    lesson.resetAll();
    // The button is gone now: go on with the text.
    lesson.state.page.document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  };
  return createPortal(
    <p className="cells-edited">
      You have edited {count(edited, 'cell')} of this lesson.{' '}
      <button type="button" className="cell-button" onClick={reset}>
        Reset all edits
      </button>
    </p>,
    host,
  );
}

const RESTART = 'Restart Python? All variables of this lesson are forgotten, in every tab; what you wrote stays.';
const PLACES = { kernel: 'Python on this machine', pyodide: 'Python in this browser', none: '' };

export function RuntimeBadge({ lesson, host }: { lesson: Lesson; host: HTMLElement }) {
  const kind = useAtom(lesson.state.kind);
  const status = useAtom(lesson.state.status);
  if (!kind || kind === 'none' || !status) return null;
  const { state, text } = status;
  const away = state === 'stopped' || state === 'failed';
  const restart = () => {
    if (away || !window.confirm(RESTART)) return;
    lesson.session.restart();
  };
  return createPortal(
    <section className="runtime-badge" data-state={state} aria-label={PLACES[kind]}>
      <span className="runtime-dot" aria-hidden="true" />
      <span className="runtime-words" title={text}>
        {PLACES[kind]} · {state === 'starting' ? text || 'starting…' : away && text ? `${state}. ${text}` : state}
      </span>
      <button type="button" className="cell-button" aria-disabled={away} onClick={restart}>
        Restart
      </button>
    </section>,
    host,
  );
}

export function Announcer({ lesson }: { lesson: Lesson }) {
  return (
    <div role="status" className="cells-hidden">
      {useAtom(lesson.state.said)}
    </div>
  );
}
