import type { Page, Site, Summary } from '../data';

/** What a lesson is, what it needs and where it leads. */
export function LessonHead({
  page,
  site,
  root,
  titleHtml,
  exercises,
}: {
  page: Page;
  site: Site;
  root: string;
  titleHtml: string;
  /** How many there are. */
  exercises: number;
}) {
  const { lesson } = page;
  const known = new Map(site.lessons.map((one) => [one.folder, one]));
  const named = (folders: string[]) => folders.map((folder) => known.get(folder)).filter((one) => one !== undefined);
  return (
    <header className="lesson-head">
      <p className="eyebrow">
        {lesson.part}
        {lesson.number && <span> · Lesson {lesson.number}</span>}
      </p>
      {/* safe: rendered from the lesson's own Markdown, HTML disabled */}
      <h1 dangerouslySetInnerHTML={{ __html: titleHtml }} />
      <p className="summary">{lesson.summary}</p>
      <ul className="facts">
        <li className={`level ${lesson.level}`}>{lesson.level}</li>
        <li>{lesson.minutes} minutes of reading</li>
        <li>{lesson.tracks.length > 1 ? 'NumPy and PyTorch' : lesson.tracks[0] === 'torch' ? 'PyTorch' : 'NumPy'}</li>
        {lesson.findings && (
          <li>
            <a href="#measured-findings">
              {lesson.findings.holds} of {lesson.findings.of} findings hold
            </a>
          </li>
        )}
      </ul>
      <dl className="links">
        {lesson.paper && (
          <div>
            <dt>Paper</dt>
            <dd>
              {shortAuthors(lesson.paper.authors)}, <a href={lesson.paper.url}>{lesson.paper.title}</a>,{' '}
              {lesson.paper.year}
            </dd>
          </div>
        )}
        {lesson.needs.length > 0 && <Lessons title="Needs" lessons={named(lesson.needs)} root={root} />}
        {lesson.leadsTo.length > 0 && <Lessons title="Leads to" lessons={named(lesson.leadsTo)} root={root} />}
        {exercises > 0 && (
          <div>
            <dt>Practice</dt>
            <dd>
              <a href="#practise">{exercises === 1 ? '1 exercise' : `${exercises} exercises`}</a>
            </dd>
          </div>
        )}
        <div>
          <dt>Notebook</dt>
          <dd className="notebooks">
            {page.notebooks.map((notebook) => (
              <a key={notebook.file} href={`${root}notebooks/${notebook.file}`} download>
                {notebook.track === 'numpy' ? 'NumPy' : 'PyTorch'} (.ipynb)
              </a>
            ))}
            <span className="lab">
              <button type="button" data-lab={lesson.folder} hidden>
                Open in JupyterLab
              </button>
              <span className="lab-command">
                In JupyterLab: <code>groundup lab {lesson.number || lesson.slug}</code>
              </span>
            </span>
          </dd>
        </div>
      </dl>
    </header>
  );
}

function Lessons({ title, lessons, root }: { title: string; lessons: Summary[]; root: string }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {lessons.map((one, index) => (
          <span key={one.folder}>
            {index > 0 && ', '}
            <a href={`${root}lessons/${one.folder}/`}>{one.title}</a>
          </span>
        ))}
      </dd>
    </div>
  );
}

function shortAuthors(authors: string): string {
  const names = authors.split(/, | and /);
  return names.length > 3 ? `${names[0]} and ${names.length - 1} others` : authors;
}
