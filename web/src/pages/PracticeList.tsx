import type { Exercise, Site } from '../data';
import { ExerciseList } from './PracticeParts';
import { type Assets, Shell } from './Shell';

const ROOT = '../';

/** All exercises, by lesson. */
export function PracticeList({ exercises, site, assets }: { exercises: Exercise[]; site: Site; assets: Assets }) {
  const folders = [...new Set(exercises.map(({ folder }) => folder))];
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
        {folders.map((folder) => {
          const own = exercises.filter((one) => one.folder === folder);
          return (
            <section key={folder} aria-labelledby={`of-${folder}`}>
              <h2 id={`of-${folder}`}>{own[0]?.lesson}</h2>
              <p className="practice-lesson">
                <a href={`${ROOT}lessons/${folder}/`}>Read the lesson</a>
              </p>
              <ExerciseList exercises={own} root={ROOT} />
            </section>
          );
        })}
      </main>
    </Shell>
  );
}
