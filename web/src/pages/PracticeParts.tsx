/** What pages say of exercises. */
import type { Exercise, Site } from '../data';
import { renderText } from '../render/markdown';

export const MOST = 5;

/** Markdown as a text of its own, in which numbers in brackets are the paper's and no links. */
export function ownText(markdown: string, site: Site, root: string): string {
  return renderText(markdown.trim(), {
    equations: new Set(),
    places: new Map(),
    lessons: new Map(
      site.lessons.map((one) => [one.slug, { href: `${root}lessons/${one.folder}/`, title: one.title }]),
    ),
    headings: [],
    ids: new Set(),
    track: 'shared',
  });
}

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
        <li
          key={one.name}
          id={`practise-${one.name}`}
          data-exercise={one.name}
          data-difficulty={one.difficulty}
          data-minutes={one.minutes}
          data-torch={one.track === 'torch' ? '' : undefined}
          data-asked={one.asked ? '' : undefined}
        >
          <span>
            <a href={`${root}practice/${one.name}/`}>{one.title}</a> <code className="exercise-name">{one.name}</code>
          </span>
          <span className="exercise-state" data-state-of={one.name} data-hash={one.hash} />
          <span className="exercise-facts">
            {one.asked && (
              <span className="exercise-asked" title="Asked in interviews">
                interviews
              </span>
            )}
            {one.track === 'torch' && <span className="exercise-track">PyTorch</span>}
            <Difficulty of={one.difficulty} />
            <span className="exercise-minutes">{one.minutes} min</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
