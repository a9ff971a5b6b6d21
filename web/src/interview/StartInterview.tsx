import { useState, useSyncExternalStore } from 'react';
import { exerciseOf } from '../practice/filters';
import { isSolved } from '../practice/states';
import { current, draw, INTERVIEW, keep, MINUTES } from './store';

const LEVELS = { easier: [1, 2], middling: [2, 3], harder: [3, 5] } as const;
type Level = keyof typeof LEVELS;
const QUESTIONS = 2;

function subscribe(listener: () => void): () => void {
  document.addEventListener(INTERVIEW, listener);
  return () => document.removeEventListener(INTERVIEW, listener);
}

/** Draws from the list what fits into 45 minutes: unsolved exercises of a level, and questions to answer aloud. */
export function StartInterview({ page }: { page: Document }) {
  const going = useSyncExternalStore(subscribe, () => current() !== null);
  const [level, setLevel] = useState<Level>('easier');
  const [torch, setTorch] = useState(false);
  const [said, setSaid] = useState('');
  if (going) return null;
  const start = () => {
    const [least, most] = LEVELS[level];
    const pool = [...page.querySelectorAll<HTMLElement>('li[data-exercise]')].flatMap(({ dataset }, index, all) => {
      const difficulty = Number(dataset.difficulty);
      if (difficulty < least || difficulty > most || (dataset.torch !== undefined && !torch)) return [];
      const one = exerciseOf(dataset);
      if (isSolved(one)) return [];
      const title = all[index]?.querySelector('a')?.textContent ?? one.name;
      return [{ ...one, title, minutes: Number(dataset.minutes), asked: dataset.asked !== undefined }];
    });
    const exercises = draw(pool).map(({ name, title, hash, minutes }) => ({ name, title, hash, minutes }));
    if (exercises.length === 0) {
      setSaid('You have solved all of this level: take another one.');
      return;
    }
    const questions = [...page.querySelectorAll<HTMLElement>('[data-question]:has(details)')]
      .map((card) => ({ id: card.id, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, QUESTIONS)
      .map(({ id }) => id);
    setSaid('');
    keep({ version: 1, since: Date.now(), exercises, questions });
    // the button goes, and what has been drawn stands further up
    setTimeout(() => page.querySelector<HTMLElement>('.interview a')?.focus());
  };
  return (
    <form
      className="interview-start"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <b>Mock interview</b>
      <span>{MINUTES} minutes, functions to write and questions to answer aloud, drawn from</span>
      <select
        aria-label="Level of the interview"
        value={level}
        onChange={(event) => setLevel(event.target.value as Level)}
      >
        {Object.keys(LEVELS).map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <label>
        <input type="checkbox" checked={torch} onChange={(event) => setTorch(event.target.checked)} /> with PyTorch
      </label>
      <button type="submit" className="cell-button">
        Start the clock
      </button>
      <span role="status">{said}</span>
    </form>
  );
}
