import type { Exercise, Site } from '../data';
import { pre } from '../render/code';
import { highlight } from '../render/highlight';
import { PracticeExample } from './PracticeExample';
import { Difficulty, MOST, ownText } from './PracticeParts';
import { type Assets, Shell } from './Shell';

const ROOT = '../../';

interface Props {
  exercises: Exercise[];
  /** Which of them this page is about. */
  index: number;
  site: Site;
  assets: Assets;
  /** The grader for the browser, from the site's root. */
  zip: string;
}

export function PracticePage({ exercises, index, site, assets, zip }: Props) {
  const exercise = exercises[index] as Exercise;
  const { name, title, folder, hash, hints } = exercise;
  return (
    <Shell
      title={`${title} · Practice · groundup`}
      description={`Exercise: ${title}. Lesson: ${exercise.lesson}.`}
      root={ROOT}
      page="practice"
      assets={assets}
      version={site.version}
    >
      <main id="text" className="practice" tabIndex={-1}>
        <header className="lesson-head">
          <p className="eyebrow">
            <a href="../">Practice</a>
            <span>
              {' '}
              · <a href={`${ROOT}lessons/${folder}/`}>{exercise.lesson}</a>
            </span>
          </p>
          <h1>{title}</h1>
          <ul className="facts">
            <li>
              Difficulty {exercise.difficulty} of {MOST} <Difficulty of={exercise.difficulty} />
            </li>
            <li>{exercise.minutes} minutes</li>
            <li>{exercise.track === 'torch' ? 'PyTorch' : 'NumPy'}</li>
            <li className="exercise-state" data-state-of={name} data-hash={hash} />
          </ul>
        </header>
        <div className="practice-columns">
          <section className="practice-task" aria-labelledby="task">
            <h2 id="task">Task</h2>
            <Prose html={exerciseText(exercise.task, exercise, site)} />
            <PracticeExample exercise={exercise} />
            {hints.map((hint, place) => (
              <section
                key={hint}
                className="practice-hint"
                aria-labelledby={`hint-${place + 1}`}
                data-hint=""
                tabIndex={-1}
                hidden
              >
                <h3 id={`hint-${place + 1}`}>
                  Hint {place + 1} of {hints.length}
                </h3>
                <Prose html={exerciseText(hint, exercise, site)} />
              </section>
            ))}
            <button type="button" className="cell-button practice-hint-button" data-next-hint="">
              Show a hint
            </button>
          </section>
          <section className="practice-desk" aria-label="Write it here">
            <div
              data-desk=""
              data-name={name}
              data-hash={hash}
              data-folder={folder}
              data-minutes={exercise.minutes}
              data-torch={exercise.browser ? undefined : ''}
              data-zip={zip}
              data-call={exercise.example.call || undefined}
            />
            {/* safe: the highlighter escapes */}
            <div data-starter="" dangerouslySetInnerHTML={{ __html: codeHtml(exercise.starter, 'Starter') }} />
          </section>
        </div>
        <nav className="neighbours" aria-label="Exercises before and after">
          <Neighbour exercise={exercises[index - 1]} rel="prev" />
          <Neighbour exercise={exercises[index + 1]} rel="next" />
        </nav>
      </main>
    </Shell>
  );
}

/** What is fetched when the reader asks for the solution. */
export function solutionOf(exercise: Exercise, site: Site): { code: string; why: string } {
  return { code: codeHtml(exercise.solution, 'Code of the solution'), why: exerciseText(exercise.why, exercise, site) };
}

function exerciseText(markdown: string, { name }: Exercise, site: Site): string {
  try {
    return ownText(markdown, site, ROOT);
  } catch (error) {
    throw new Error(`exercise ${name}: ${error instanceof Error ? error.message : error}`); // whoever wrote it must know
  }
}

function codeHtml(source: string, label: string): string {
  const lines = highlight(source.replace(/\n$/, '')).map((line) => `<span class="line">${line}</span>`);
  return pre(lines, 'shiki', label, ' style="--from:0"');
}

function Prose({ html }: { html: string }) {
  return (
    <div className="prose">
      {/* safe: Markdown with HTML disabled */}
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </div>
  );
}

function Neighbour({ exercise, rel }: { exercise: Exercise | undefined; rel: 'prev' | 'next' }) {
  if (!exercise) return <span />;
  return (
    <a className={rel} rel={rel} href={`../${exercise.name}/`}>
      <small>{rel === 'prev' ? 'Previous exercise' : 'Next exercise'}</small>
      {exercise.title}
    </a>
  );
}
