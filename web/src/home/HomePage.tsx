import type { Site } from '../data';
import { ChainFigure } from './ChainFigure';
import { LessonMap, lessonUrl } from './LessonMap';
import { Paths } from './Paths';
import { duration } from './words';

/** The front page, rendered at build time; `mountHome` adds what only this device knows. */
export function HomePage({ site }: { site: Site }) {
  return (
    <div className="front">
      <Opening site={site} />
      <Facts site={site} />
      <LessonMap site={site} />
      <Paths site={site} />
      {site.exercises > 0 && (
        <section aria-labelledby="practice">
          <h2 id="practice">Practice</h2>
          <p className="front-text">
            Could you write it yourself? <a href="practice/">{site.exercises} exercises</a> ask for a function of a
            lesson each, and a grader says whether yours is right, and on which small input it is not.
          </p>
        </section>
      )}
      <section className="home-progress" aria-labelledby="progress">
        <h2 id="progress">Your progress</h2>
        <p className="front-text" data-progress-summary>
          Nothing read yet.
        </p>
        <div data-progress-actions />
      </section>
    </div>
  );
}

function Opening({ site }: { site: Site }) {
  const first = site.lessons[0];
  return (
    <div className="opening">
      <div>
        <h1>
          Learn deep learning
          <br />
          by building it
        </h1>
        <p className="opening-lead">
          Each lesson takes one famous paper or topic and writes it twice: by hand in NumPy, with every derivative
          derived, then in PyTorch, as practitioners write it. You follow the mathematics on small numbers, run and
          change the code, and see what the paper says measured on models that were really trained.
        </p>
        <div data-continue="" hidden />
        {first && (
          <p className="opening-start">
            <a className="opening-button" href={lessonUrl(first.folder)}>
              Begin with lesson {first.number}
            </a>
            <span>
              {first.title}, {duration(first.minutes)}
            </span>
          </p>
        )}
        <p className="opening-runtime" data-runtime-note>
          On <a href="#get">your own machine</a> these pages have a Python behind them that runs every cell.
        </p>
      </div>
      <ChainFigure />
    </div>
  );
}

function Facts({ site }: { site: Site }) {
  const tallies = site.lessons.flatMap((lesson) => lesson.findings ?? []);
  const holds = tallies.reduce((sum, tally) => sum + tally.holds, 0);
  const of = tallies.reduce((sum, tally) => sum + tally.of, 0);
  return (
    <ul className="facts">
      <li>
        <strong>Every gradient is proven.</strong> It is compared with finite differences and with PyTorch, and mistakes
        planted on purpose have to be caught.
      </li>
      {of > 0 && (
        <li>
          <strong>
            {holds} of {of} findings hold at this size.
          </strong>{' '}
          Each is measured over five seeds on data that the model has not seen, beside the strongest rival and the
          paper’s own number. Where one does not hold, the lesson says so and why.
        </li>
      )}
      <li>
        <strong>The code you read is the code that runs.</strong> Change a function, run the cells that use it, and see
        what becomes of the result.
      </li>
    </ul>
  );
}
