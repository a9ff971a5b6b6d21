import { useEffect, useRef } from 'react';
import type { Verdict } from './types';

const HEADS: Partial<Record<Verdict['status'], string>> = { passed: 'Passed', unwritten: 'Not written yet' };

/** The first words of a verdict. */
export function headOf({ status }: Verdict): string {
  return HEADS[status] ?? 'Not yet';
}

/** Everything in a verdict is text of the grader's or of the answer's: nothing here becomes HTML. */
export function VerdictView({ verdict, goTo }: { verdict: Verdict; goTo(line: number): void }) {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' }); // newer browsers return a promise, which is no clean-up
  }, [verdict]);
  const { check, message, diagnosis, lines, log, checks, error, passed } = verdict;
  const values: [string, string][] = [
    ...Object.entries(verdict.arguments ?? {}),
    ['upstream gradient', verdict.upstream],
    ['expected', verdict.expected],
    ['your answer', verdict.got],
    ['largest error', error === null ? '' : error.toPrecision(3)],
  ];
  const shown = values.filter(([, text]) => text);
  return (
    <div className="verdict" ref={panel} data-status={verdict.status}>
      <div className="verdict-words">
        <b>{headOf(verdict)}</b>
        {check && !passed && <span className="verdict-check">{check}</span>}
      </div>
      <p>
        <Coded text={message} />
      </p>
      {diagnosis && (
        <p className="verdict-diagnosis">
          <Coded text={diagnosis} />
        </p>
      )}
      {lines.length > 0 && (
        <ol className="verdict-lines">
          {lines.map(([number, text]) => (
            <li key={`${number} ${text}`}>
              <button type="button" onClick={() => goTo(number)}>
                line {number}
              </button>
              <code>{text}</code>
            </li>
          ))}
        </ol>
      )}
      {shown.length > 0 && (
        <dl className="verdict-values">
          {shown.map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Scrolling text={text} label={name} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {verdict.measured && <p className="verdict-label">Measured: {verdict.measured}.</p>}
      {log.trim() && (
        <>
          <p className="verdict-label">Your code printed</p>
          <Scrolling text={log.trim()} label="What your code printed" />
        </>
      )}
      {checks.length > 0 && (
        <p className="verdict-checks">
          {passed ? 'Checked' : 'Passed before that'}: {checks.join(', ')}.
        </p>
      )}
    </div>
  );
}

function Scrolling({ text, label }: { text: string; label: string }) {
  return (
    <pre tabIndex={0} role="group" aria-label={label}>
      {text}
    </pre>
  );
}

/** What stands between backticks, as code. */
function Coded({ text }: { text: string }) {
  return text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}
