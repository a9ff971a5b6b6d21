import { useEffect, useState } from 'react';
import { isSolved } from '../practice/states';
import { CHANGED } from '../practice/store';
import { clock } from '../practice/Timer';
import { current, INTERVIEW, keep, MINUTES } from './store';

/** The time that is left, and how it goes with what was drawn. */
export function InterviewBar({ page, root }: { page: Document; root: string }) {
  const [, look] = useState(0);
  useEffect(() => {
    const again = () => look((count) => count + 1);
    const timer = setInterval(() => current() && again(), 1000);
    for (const kind of [INTERVIEW, CHANGED]) page.addEventListener(kind, again);
    window.addEventListener('storage', again); // another tab
    return () => {
      clearInterval(timer);
      for (const kind of [INTERVIEW, CHANGED]) page.removeEventListener(kind, again);
      window.removeEventListener('storage', again);
    };
  }, [page]);
  const interview = current();
  if (!interview) return null;
  const { exercises, questions, since, ended } = interview;
  const left = 60 * MINUTES - ((ended ?? Date.now()) - since) / 1000;
  const solved = exercises.filter(isSolved).length;
  const over = left <= 0 || solved === exercises.length || ended !== undefined;
  const here = page.querySelector<HTMLElement>('[data-desk]')?.dataset.name;
  return (
    <section className="interview" aria-label="Mock interview">
      <p>
        <b>Mock interview</b>
        {over ? (
          <span role="status">
            {left <= 0 ? 'Time is up. ' : solved === exercises.length ? 'All solved. ' : 'Ended. '}
            {solved} of {exercises.length} solved
            {left > 0 && ` in ${clock(60 * MINUTES - left)}`}.
          </span>
        ) : (
          <span role="timer" aria-label="Time left">
            {clock(left)} left
          </span>
        )}
        <button
          type="button"
          className="cell-button"
          onClick={() => keep(over ? null : { ...interview, ended: Date.now() })}
        >
          {over ? 'Close' : 'End it'}
        </button>
      </p>
      <ol>
        {exercises.map((one) => (
          <li key={one.name} aria-current={one.name === here ? 'step' : undefined}>
            <a href={`${root}practice/${one.name}/`}>{one.title}</a> <span>{one.minutes} min</span>{' '}
            {isSolved(one) && <b className="interview-solved">✓ solved</b>}
          </li>
        ))}
        {questions.map((id, index) => (
          <li key={id}>
            <a href={`${root}practice/#${id}`}>Question {index + 1}, to answer aloud</a>
          </li>
        ))}
      </ol>
    </section>
  );
}
