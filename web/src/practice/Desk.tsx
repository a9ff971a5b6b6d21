import { useEffect, useRef, useState } from 'react';
import type { Editor } from '../cells/codemirror';
import { RunIcon, StopIcon } from '../cells/icons';
import { type Found, findGrader } from './graders';
import { wakeHints } from './hints';
import { Solution } from './Solution';
import { change, follow, type Kept, read } from './store';
import { clock, Timer } from './Timer';
import { TryLine } from './TryLine';
import type { Exercise, States, Step, Verdict } from './types';
import { headOf, VerdictView } from './VerdictView';

interface Props {
  exercise: Exercise;
  /** The built lines of the starter, which stand here until the editor is loaded. */
  built: HTMLElement;
  page: Document;
  /** Called whenever something is kept, with what the server knows if it said so. */
  kept(states?: States): void;
}

export function Desk({ exercise, built, page, kept }: Props) {
  const { name, hash, starter } = exercise;
  const [memory, setMemory] = useState<Kept>(() => read(name));
  const [verdict, setVerdict] = useState<Verdict>();
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0); // a new editor for each
  const [elsewhere, setElsewhere] = useState(false); // the text has just come from another tab
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(null);
  const found = useRef<Promise<Found>>(null);

  const keep = (part: Partial<Kept>) => {
    setMemory(change(name, part));
    kept();
  };
  const grader = () => {
    found.current ??= findGrader(exercise, { status: setWords, states: kept });
    return found.current;
  };
  const note = (step: Step) => void grader().then((one) => one.grader.note(step));

  useEffect(() => {
    wakeHints(page, read(name).hints, (hints) => {
      keep({ hints });
      note('hint');
    });
    void grader().then(({ why }) => setWords(why));
  }, []);

  useEffect(
    () =>
      follow(name, () => {
        const before = editor.current?.text();
        const now = read(name);
        editor.current?.take(now.text ?? starter);
        setMemory(now);
        if (before !== undefined && before !== (now.text ?? starter)) setElsewhere(true);
      }),
    [name, starter],
  );

  // The latest of these is what the editor's keys call.
  const check = useRef(() => {});
  check.current = () => {
    if (busy) return;
    setBusy(true);
    setWords('Checking…');
    editor.current?.mark(null);
    grader()
      .then((one) => one.grader.check(read(name).text ?? starter))
      .then((answer) => {
        setVerdict(answer);
        setWords('');
        editor.current?.mark(answer.lines.at(-1)?.[0] ?? null);
        const { attempts, since, solved } = read(name);
        if (answer.status !== 'unwritten') keep({ attempts: attempts + 1, solved: answer.passed ? hash : solved });
        if (answer.passed && since !== null) stopTimer(since);
      })
      .catch((error: Error) => {
        setVerdict(undefined);
        setWords(error.message);
      })
      .finally(() => setBusy(false));
  };

  useEffect(() => {
    let gone = false;
    if (!round) place.current?.append(built);
    import('../cells/codemirror').then(({ createEditor, KEYS }) => {
      if (gone || !place.current) return;
      editor.current = createEditor({
        parent: place.current,
        text: read(name).text ?? starter,
        label: `Your answer to ${name}. ${KEYS}`,
        folds: [],
        knowledge: { texts: () => [starter], ask: async () => null },
        change: (text) => {
          const kept = read(name); // who types on an older text goes on with the exercise as it is
          setMemory(change(name, { text, hash: kept.text === null ? hash : kept.hash }));
          setElsewhere(false);
        },
        run: () => check.current(),
      });
      built.remove();
      if (round) editor.current.focus();
    });
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, [round, name, starter, hash, built]);

  const stopTimer = (since: number) => keep({ since: null, seconds: (Date.now() - since) / 1000 });
  const reset = () => {
    if (memory.text !== null && !window.confirm('Throw your text away and begin with the starter again?')) return;
    keep({ text: null, hash: '' });
    setVerdict(undefined);
    setWords('');
    setRound(round + 1);
  };
  const older = memory.text !== null && memory.hash !== '' && memory.hash !== hash;
  const solved = memory.solved === hash;
  const said = verdict && !busy ? `${headOf(verdict)}. ${verdict.message} ${verdict.diagnosis}` : words;

  return (
    <>
      <div className="practice-bar">
        <button
          type="button"
          className={`cell-button cell-run${busy ? ' stops' : ''}`}
          aria-keyshortcuts="Control+Enter Shift+Enter"
          title={busy ? undefined : 'Ctrl+Enter or Shift+Enter'}
          onClick={() => (busy ? void grader().then((one) => one.grader.stop()) : check.current())}
        >
          {busy ? <StopIcon /> : <RunIcon />}
          {busy ? 'Stop' : 'Check'}
        </button>
        <button type="button" className="cell-button" onClick={reset}>
          Reset
        </button>
        <Timer
          since={memory.since}
          seconds={memory.seconds}
          minutes={exercise.minutes}
          start={() => {
            keep({ since: Date.now(), seconds: null });
            note('start');
          }}
          stop={() => memory.since !== null && stopTimer(memory.since)}
        />
      </div>
      {older && (
        <p className="cell-note">
          This exercise has changed since you began your answer; Reset brings the new starter.
        </p>
      )}
      {elsewhere && (
        <p className="cell-note" role="status">
          Your answer has been changed in another tab; here is its text.
        </p>
      )}
      <div className="cell-editor" ref={place} />
      {/* Read out when it changes; the panel below has the details. */}
      <p role="status" className={verdict && !busy ? 'cells-hidden' : 'practice-status'}>
        {said}
      </p>
      {verdict && !busy && <VerdictView verdict={verdict} goTo={(line) => editor.current?.focus(line)} />}
      {verdict?.passed && !busy && <Onwards seconds={memory.seconds} page={page} />}
      <TryLine
        call={exercise.call}
        busy={busy}
        attempt={(line) => grader().then((one) => one.grader.attempt(read(name).text ?? starter, line))}
        hold={(held) => {
          setBusy(held);
          if (!held) setWords('');
        }}
      />
      <Solution
        solved={solved}
        shown={() => {
          if (solved) return;
          keep({ gaveUp: true });
          note('give up');
        }}
      />
    </>
  );
}

/** The time that it took, if the clock was on, and the way to the next exercise. */
function Onwards({ seconds, page }: { seconds: number | null; page: Document }) {
  const next = page.querySelector<HTMLAnchorElement>('a.next');
  return (
    <p className="practice-onwards">
      {seconds !== null && <span>Time: {clock(seconds)}</span>}
      {next && <a href={next.href}>Next: {next.lastChild?.textContent}</a>}
    </p>
  );
}
