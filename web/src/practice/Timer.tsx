import { useEffect, useState } from 'react';

interface Props {
  /** When it was started; null while it stands. */
  since: number | null;
  /** What it stood at when it was stopped. */
  seconds: number | null;
  /** What the exercise is meant to take. */
  minutes: number;
  start(): void;
  stop(): void;
}

/** For practising interviews: how long it takes, beside how long it is meant to take. */
export function Timer({ since, seconds, minutes, start, stop }: Props) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (since === null) return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [since]);
  const running = since !== null;
  const spent = running ? (Date.now() - since) / 1000 : seconds;
  return (
    <span className="practice-timer" data-over={spent !== null && spent > 60 * minutes ? '' : undefined}>
      {spent !== null && (
        <span role="timer" aria-label="Time spent">
          {clock(spent)} of {minutes} min
        </span>
      )}
      <button type="button" className="cell-button" onClick={running ? stop : start}>
        {running ? 'Stop timer' : 'Start timer'}
      </button>
    </span>
  );
}

/** "0:07", "12:30". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
