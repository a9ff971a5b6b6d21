import { useEffect, useState } from 'react';
import { type Atom, patch, useAtom } from './atom';
import type { Lesson } from './lesson';
import type { LiveCell } from './page';
import type { CellState, Run, Step } from './state';
import { count, seconds } from './words';

const SHOWN_STEPS = 4; // more than this are folded into one line
const SHOWN_SECONDS = 0.05; // less is no time at all

/** One line between code and output: which output this is, how the run goes, what ran before it. */
export function CellStatus({ cell, atom, lesson }: { cell: LiveCell; atom: Atom<CellState>; lesson: Lesson }) {
  const { run, shows, outdated } = useAtom(atom);
  if (!run) {
    return (
      <div className="cell-strip">
        <span className="cell-outdated">
          built from the lesson’s text: <RunAgain id={cell.id} lesson={lesson} words="run yours" />
        </span>
      </div>
    );
  }
  const ended = run.phase === 'done';
  const failed = ended && run.steps.some((step) => step.state === 'failed');
  return (
    <div className="cell-strip">
      {cell.built && run.fresh ? <Choice shows={shows} atom={atom} id={cell.id} /> : null}
      <span className="cell-state" data-ok={ended && run.ok ? '' : undefined}>
        <Words run={run} lesson={lesson} />
      </span>
      {run.steps.length > 0 && !failed && <Steps steps={run.steps} running={!ended} lesson={lesson} />}
      {ended && outdated && run.fresh && (
        <span className="cell-outdated">
          out of date: <RunAgain id={cell.id} lesson={lesson} words="run again" />
        </span>
      )}
    </div>
  );
}

function RunAgain({ id, lesson, words }: { id: string; lesson: Lesson; words: string }) {
  return (
    <button type="button" onClick={() => lesson.run(id)}>
      {words}
    </button>
  );
}

function Choice({ shows, atom, id }: { shows: CellState['shows']; atom: Atom<CellState>; id: string }) {
  return (
    <span className="cell-choice" role="group" aria-label={`Output of ${id}`}>
      {(['built', 'live'] as const).map((name) => (
        <button key={name} type="button" aria-pressed={shows === name} onClick={() => patch(atom, { shows: name })}>
          {name}
        </button>
      ))}
    </span>
  );
}

function Words({ run, lesson }: { run: Run; lesson: Lesson }) {
  const status = useAtom(lesson.state.status);
  if (run.phase === 'waiting') return 'waits for the run before it';
  if (run.phase === 'starting' && run.steps.length) return null; // they say it
  if (run.phase === 'starting') return (status?.state !== 'ready' && status?.text) || 'starting…';
  if (run.phase === 'running') {
    return (
      <>
        running <Clock />
      </>
    );
  }
  const failed = run.steps.find((step) => step.state === 'failed');
  if (run.ok) return `ran in ${seconds(run.seconds)}${run.blocks.length ? '' : ', no output'}`;
  if (run.reason === 'interrupted') return run.seconds ? `stopped after ${seconds(run.seconds)}` : 'stopped';
  if (run.reason === 'restarted') return run.note || 'Python was restarted';
  if (failed) {
    return (
      <>
        did not run: <CellLink id={failed.cell} lesson={lesson} /> failed
      </>
    );
  }
  return run.note || `failed after ${seconds(run.seconds)}`;
}

/** Whole seconds since it appeared. */
function Clock() {
  const [spent, setSpent] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSpent((before) => before + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return spent > 0 ? <span aria-hidden="true">{spent} s</span> : null;
}

const MARKS: Record<Step['state'], string> = { waiting: '', running: '…', ok: '✓', failed: '✗' };
const NAMES: Record<Step['state'], string> = { waiting: 'waits', running: 'runs', ok: 'done', failed: 'failed' };

/** The cells that this one depends on and that had to run first. */
function Steps({ steps, running, lesson }: { steps: Step[]; running: boolean; lesson: Lesson }) {
  const [open, setOpen] = useState(false);
  const current = steps.findIndex((step) => step.state === 'running');
  const title = `${running ? 'running' : 'after'} ${count(steps.length, 'cell')} this one depends on`;
  const list = (
    <ol className="cell-steps">
      {steps.map(({ cell, state, seconds: spent }) => (
        <li key={cell} data-state={state}>
          <CellLink id={cell} lesson={lesson} />{' '}
          <span role="img" aria-label={NAMES[state]}>
            {MARKS[state]}
          </span>
          {spent >= SHOWN_SECONDS && ` ${seconds(spent)}`}
        </li>
      ))}
    </ol>
  );
  if (steps.length <= SHOWN_STEPS) {
    return (
      <span className="cell-before">
        {title}: {list}
      </span>
    );
  }
  return (
    <span className="cell-before">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {title}
      </button>
      {current >= 0 && ` ${current + 1} of ${steps.length}: ${steps[current]?.cell}`}
      {open && list}
    </span>
  );
}

function CellLink({ id, lesson }: { id: string; lesson: Lesson }) {
  return lesson.state.cells.has(id) ? <a href={`#cell-${id}`}>{id}</a> : <span>{id}</span>;
}
