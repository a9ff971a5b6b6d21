import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Atom, patch, useAtom } from './atom';
import { CopyButton } from './CopyButton';
import { RunIcon, StopIcon } from './icons';
import { type Lesson, runsElsewhere } from './lesson';
import type { LiveCell } from './page';
import type { CellState, Run } from './state';
import { seconds } from './words';

const LONG = 5; // seconds: from here on the reader hears beforehand how long a run takes
const DOUBLE_CLICK = 500; // milliseconds

interface Props {
  cell: LiveCell;
  atom: Atom<CellState>;
  lesson: Lesson;
  /** Where the live output will be. */
  live: HTMLElement;
}

/** The buttons of a cell. Those that come and go stand at the left, so that none moves from under the pointer. */
export function CellBar({ cell, atom, lesson, live }: Props) {
  const { open, edit, run, help } = useAtom(atom);
  const kind = useAtom(lesson.state.kind);
  const editButton = useRef<HTMLButtonElement>(null);
  const { id } = cell;
  const busy = run !== null && run.phase !== 'done';

  return (
    <>
      {run && <FarOutput run={run} live={live} />}
      {edit !== null && <span className="cell-edited">edited</span>}
      {edit !== null && <RunUsers id={id} lesson={lesson} />}
      {cell.total > LONG && !runsElsewhere(cell, kind) && <HowLong total={cell.total} browser={kind === 'pyodide'} />}
      {(edit !== null || run !== null) && (
        <button
          type="button"
          className="cell-button"
          aria-label={`Reset ${id}`}
          aria-disabled={busy}
          onClick={() => {
            if (busy) return;
            lesson.reset(id);
            editButton.current?.focus(); // this button goes
          }}
        >
          Reset
        </button>
      )}
      <CopyButton label={`Copy ${id}`} text={() => lesson.text(id)} />
      <button
        type="button"
        className="cell-button cell-edit-button"
        ref={editButton}
        aria-label={`${open ? 'Close the editor of' : 'Edit'} ${id}`}
        onClick={() => (open ? lesson.close(id) : lesson.open(id))}
      >
        {open ? 'Close' : 'Edit'}
      </button>
      {!busy && runsElsewhere(cell, kind) ? (
        <button
          type="button"
          className="cell-button"
          aria-expanded={help}
          aria-label={`How to run ${id}`}
          onClick={() => patch(atom, { help: !help })}
        >
          How to run
        </button>
      ) : (
        // A cell that may not run here shows its button once it is known where cells run.
        (kind !== null || !cell.why) && <RunButton busy={busy} asked={run?.asked ?? true} id={id} lesson={lesson} />
      )}
    </>
  );
}

/** After an edit: one button for all cells that use what this one defines. */
function RunUsers({ id, lesson }: { id: string; lesson: Lesson }) {
  const [users, setUsers] = useState<string[]>([]);
  const kind = useAtom(lesson.state.kind);
  useEffect(() => {
    let gone = false;
    lesson.users(id).then(
      (found) => !gone && setUsers(found),
      () => {}, // without the cells' texts nothing runs, and the run says why
    );
    return () => {
      gone = true;
    };
  }, [id, lesson, kind]);
  if (users.length === 0) return null;
  const cells = users.length === 1 ? 'the cell that uses it' : `the ${users.length} cells that use it`;
  return (
    <button
      type="button"
      className="cell-button cell-users"
      aria-label={`Run ${cells}: ${users.join(', ')}`}
      onClick={() => {
        for (const user of users) lesson.run(user);
      }}
    >
      Run {cells}
    </button>
  );
}

/** Run and Stop are one button, so that the focus stays on it. */
function RunButton({ busy, asked, id, lesson }: { busy: boolean; asked: boolean; id: string; lesson: Lesson }) {
  const pressed = useRef(0);
  const stops = busy && asked;
  const press = () => {
    const [now, before] = [performance.now(), pressed.current];
    pressed.current = now;
    if (!stops) lesson.run(id);
    // The second half of a double click on Run is no wish to stop.
    else if (now - before > DOUBLE_CLICK) lesson.session.stop(id);
  };
  return (
    <button
      type="button"
      className={`cell-button cell-run${stops ? ' stops' : ''}`}
      aria-label={`${stops ? 'Stop' : 'Run'} ${id}`}
      aria-keyshortcuts="Shift+Enter Control+Enter"
      aria-disabled={busy && !asked}
      title={stops ? undefined : 'Shift+Enter'}
      onClick={press}
    >
      {stops ? <StopIcon /> : <RunIcon />}
      {stops ? 'Stop' : 'Run'}
    </button>
  );
}

/** The way to an output that is out of sight, below long code. */
function FarOutput({ run, live }: { run: Run; live: HTMLElement }) {
  const { phase, ok, reason } = run;
  const [far, setFar] = useState(false);
  useLayoutEffect(() => setFar(live.getBoundingClientRect().top > innerHeight - 40), [live, phase]);
  if (!far || (phase !== 'running' && phase !== 'done')) return null;
  return (
    <a className="cell-far" href={`#${live.id}`}>
      <span className="cell-long-words">{phase === 'running' ? 'running' : ok ? 'output' : reason || 'error'} </span>↓
    </a>
  );
}

/** Narrow screens show the time only. */
function HowLong({ total, browser }: { total: number; browser: boolean }) {
  return (
    <span className="cell-long">
      <span className="cell-long-words">{browser ? 'natively ' : 'takes about '}</span>
      {seconds(total)}
      {browser && <span className="cell-long-words">, longer here</span>}
    </span>
  );
}
