import type { LearningPath, Site, Summary } from '../data';
import { lessonUrl } from './LessonMap';
import { count, duration } from './words';

const SHORT = 8; // longer paths start folded

export function Paths({ site }: { site: Site }) {
  const byFolder = new Map(site.lessons.map((lesson) => [lesson.folder, lesson]));
  return (
    <section className="paths" aria-labelledby="paths">
      <h2 id="paths">Learning paths</h2>
      <p className="front-text">
        Lessons in an order that works, for where you come from and what you are after. Follow one, and “Next” leads
        along it.
      </p>
      <div className="paths-grid">
        {site.paths.map((path) => (
          <Path key={path.slug} path={path} lessons={path.lessons.flatMap((folder) => byFolder.get(folder) ?? [])} />
        ))}
      </div>
    </section>
  );
}

function Path({ path, lessons }: { path: LearningPath; lessons: Summary[] }) {
  if (lessons.length === 0) return null;
  const minutes = lessons.reduce((sum, lesson) => sum + lesson.minutes, 0);
  return (
    <section className="path" data-path={path.slug} aria-labelledby={`path-${path.slug}`}>
      <h3 id={`path-${path.slug}`}>{path.title}</h3>
      <p>{path.text}</p>
      <p className="path-size">
        {count(lessons.length, 'lesson')} · {duration(minutes)} <span className="path-done" />
      </p>
      <progress className="path-progress" max={lessons.length} value={0} aria-label={`Read in “${path.title}”`} />
      <button type="button" className="path-follow" data-follow={path.slug} hidden>
        Follow this path
      </button>
      <details open={lessons.length <= SHORT}>
        <summary>Lessons of this path</summary>
        <ol>
          {lessons.map((lesson) => (
            <li key={lesson.folder} data-lesson={lesson.folder}>
              <a href={lessonUrl(lesson.folder)}>{lesson.title}</a>{' '}
              <span className="path-minutes">{duration(lesson.minutes)}</span> <span className="home-tick" />
            </li>
          ))}
        </ol>
      </details>
    </section>
  );
}
