import type { ReactNode } from 'react';
import type { Exercise, Question, Site, Summary } from '../data';
import { ExerciseList, ownText } from './PracticeParts';
import { Questions } from './Questions';
import { type Assets, Shell } from './Shell';

const ROOT = '../';
/** With more lessons than this, their lists start folded. */
const MANY = 12;

interface Props {
  exercises: Exercise[];
  /** By the lesson's folder. */
  questions: Record<string, Question[]>;
  site: Site;
  assets: Assets;
}

/** All exercises and interview questions, by lesson. */
export function PracticeList({ exercises, questions, site, assets }: Props) {
  const lessons = site.lessons.filter(
    ({ folder }) => exercises.some((one) => one.folder === folder) || (questions[folder] ?? []).length > 0,
  );
  return (
    <Shell
      title="Practice · groundup"
      description="Write the functions of the lessons yourself, and be told whether they are right."
      root={ROOT}
      page="practice"
      assets={assets}
      version={site.version}
    >
      <main id="text" className="practice" tabIndex={-1}>
        <header className="lesson-head">
          <h1>Practice</h1>
          <p className="summary">
            Write a function of a lesson yourself. A grader compares it with the library’s own on many shapes, measures
            its gradients, and shows the smallest input on which it goes wrong.
          </p>
          <p className="practice-count" data-practice-summary="">
            {exercises.length} exercises. What you solve is remembered on this device.
          </p>
        </header>
        {/* filled by scripts, which know what is solved */}
        <div data-interview="" />
        <Filters lessons={lessons} />
        <p className="practice-here" data-here="" hidden />
        {inParts(site, lessons, ({ folder, title }) => {
          const own = exercises.filter((one) => one.folder === folder);
          const asked = questions[folder] ?? [];
          return (
            <section key={folder} aria-labelledby={`of-${folder}`} data-of={folder}>
              <h2 id={`of-${folder}`}>{title}</h2>
              <p className="practice-lesson">
                <a href={`${ROOT}lessons/${folder}/`}>Read the lesson</a>
              </p>
              {own.length > 0 &&
                (lessons.length > MANY ? (
                  <details className="practice-own" data-fold-of={folder}>
                    <summary>{own.length === 1 ? '1 exercise' : `${own.length} exercises`}</summary>
                    <ExerciseList exercises={own} root={ROOT} />
                  </details>
                ) : (
                  <ExerciseList exercises={own} root={ROOT} />
                ))}
              {asked.length > 0 && (
                <details className="practice-asked">
                  <summary>
                    {asked.length === 1 ? 'A question' : `${asked.length} questions`} that interviewers ask
                  </summary>
                  <Questions
                    questions={asked}
                    render={(markdown) => ownText(markdown, site, ROOT)}
                    id={`question-${folder}`}
                  />
                </details>
              )}
            </section>
          );
        })}
        <p className="practice-none" data-none="" hidden>
          No exercise is left with these filters.
        </p>
      </main>
    </Shell>
  );
}

/** Where there are many lessons, those of a part are folded below its name. */
function inParts(site: Site, lessons: Summary[], render: (lesson: Summary) => ReactNode): ReactNode {
  if (lessons.length <= MANY) return lessons.map(render);
  return site.parts.map((part, index) => {
    const own = lessons.filter((lesson) => lesson.part === part);
    if (own.length === 0) return null;
    return (
      <details key={part} className="practice-part" open={index === 0}>
        <summary>
          <b>{part}</b> <span>{own.length === 1 ? '1 lesson' : `${own.length} lessons`}</span>
        </summary>
        {own.map(render)}
      </details>
    );
  });
}

/** A script wakes and shows it. */
function Filters({ lessons }: { lessons: { folder: string; title: string }[] }) {
  return (
    <form className="practice-filters" aria-label="Show only" data-filters="" hidden>
      <label>
        Lesson{' '}
        <select name="lesson" aria-label="Lesson">
          <option value="">all</option>
          {lessons.map(({ folder, title }) => (
            <option key={folder} value={folder}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        Level{' '}
        <select name="level" aria-label="Level">
          <option value="">all</option>
          <option value="1-2">easier</option>
          <option value="3-3">middling</option>
          <option value="4-5">harder</option>
        </select>
      </label>
      <label>
        <input type="checkbox" name="torch" /> PyTorch
      </label>
      <label>
        <input type="checkbox" name="asked" /> asked in interviews
      </label>
      <label>
        <input type="checkbox" name="unsolved" /> unsolved
      </label>
      <output data-found="" />
    </form>
  );
}
