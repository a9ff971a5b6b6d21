/** What pages say of exercises. */
import type { Exercise } from '../data';

export const MOST = 5;

export function Difficulty({ of }: { of: number }) {
  return (
    <span className="difficulty" role="img" aria-label={`Difficulty ${of} of ${MOST}`}>
      {Array.from({ length: MOST }, (_, index) => (
        <i key={index} data-on={index < of ? '' : undefined} />
      ))}
    </span>
  );
}

/** One line for each exercise, with room for how far the reader is with it. */
export function ExerciseList({ exercises, root }: { exercises: Exercise[]; root: string }) {
  return (
    <ul className="exercises">
      {exercises.map((one) => (
        <li key={one.name} id={`practise-${one.name}`}>
          <a href={`${root}practice/${one.name}/`}>{one.title}</a>
          <span className="exercise-state" data-state-of={one.name} data-hash={one.hash} />
          <span className="exercise-facts">
            {one.track === 'torch' && <span className="exercise-track">PyTorch</span>}
            <Difficulty of={one.difficulty} />
            <span className="exercise-minutes">{one.minutes} min</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
