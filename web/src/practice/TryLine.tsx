import { useState } from 'react';
import type { Trial } from './types';

interface Props {
  /** A call to begin with, or "". */
  call: string;
  busy: boolean;
  attempt(line: string): Promise<Trial>;
  /** Told before and after: one thing at a time. */
  hold(held: boolean): void;
}

/** A line of one's own: calls the function that is in the editor and shows what it gives, ungraded. */
export function TryLine({ call, busy, attempt, hold }: Props) {
  const [line, setLine] = useState(call);
  const [trial, setTrial] = useState<Trial>();
  const run = () => {
    if (busy) return;
    hold(true);
    attempt(line)
      .then(setTrial)
      .catch((error: Error) => setTrial({ ok: false, value: '', message: error.message, lines: [], log: '' }))
      .finally(() => hold(false));
  };
  const printed = trial?.log.trim() ?? '';
  return (
    <form
      className="try"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      <label htmlFor="try-line">Try your function</label>
      <div className="try-line">
        <input
          id="try-line"
          value={line}
          onChange={(event) => setLine(event.target.value)}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          placeholder="your_function(np.array([[1.0, 2.0]]))"
        />
        <button type="submit" className="cell-button" disabled={busy}>
          Run
        </button>
      </div>
      <div role="status">
        {printed && <pre className="try-said">{printed}</pre>}
        {trial?.ok && <pre className="try-said">{trial.value || (printed ? '' : 'It gives nothing back (None).')}</pre>}
        {trial && !trial.ok && (
          <p className="try-failed">
            {trial.message}
            {trial.lines.map(([number, text]) => (
              <span key={number}>
                {' '}
                Line {number}: <code>{text}</code>
              </span>
            ))}
          </p>
        )}
      </div>
    </form>
  );
}
