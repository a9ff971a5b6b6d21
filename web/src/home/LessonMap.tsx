import type { Level, Site, Summary } from '../data';
import { directNeeds, layOut } from './layout';
import { draw, NODE } from './routes';
import { count, duration, fitLines } from './words';

const LEVELS: Level[] = ['beginner', 'intermediate', 'advanced'];
const LABELS = 150; // room for the parts' names, left of the lessons
const TITLE = { size: 15, small: 13 }; // as in map.css

/** With more lessons than this, the list's parts start folded and the map's arrows are faint. */
const MANY = 24;

export const lessonUrl = (folder: string): string => `lessons/${folder}/`;

/** All lessons as a picture: parts are bands, arrows lead from a lesson to those that need it. Narrow screens: a list. */
export function LessonMap({ site }: { site: Site }) {
  const titles = new Map(site.lessons.map(({ folder, title }) => [folder, title]));
  const needs = directNeeds(site.lessons);
  const { width, height, nodes, arrows, bands } = draw(layOut(site.parts, site.lessons, needs), needs);
  const full = LABELS + width;
  const minutes = site.lessons.reduce((sum, lesson) => sum + lesson.minutes, 0);
  return (
    <section className="map" aria-labelledby="map">
      <h2 id="map">The map</h2>
      <p className="front-text">
        {count(site.lessons.length, 'lesson')} so far, {duration(minutes)} of work.{' '}
        <span className="map-how">
          An arrow leads from a lesson to the next that builds on it. Point at a lesson to see{' '}
          <span className="map-word-before">what it needs</span> and{' '}
          <span className="map-word-after">where it leads</span>.
        </span>
      </p>
      {/* filled by a script, which knows what has been read */}
      <p className="map-place" data-place="" hidden />
      <LevelFilter />
      <a className="map-skip" href="#paths">
        Skip the map
      </a>
      <svg
        className={site.lessons.length > MANY ? 'map-graph map-many' : 'map-graph'}
        viewBox={`0 0 ${Math.ceil(full)} ${Math.ceil(height)}`}
        style={{ maxWidth: `${((full * 1.2) / 16).toFixed(1)}rem` }}
        role="group"
        aria-label="Map of the lessons"
      >
        {bands.map(({ part, y, rule, lessons }) => (
          <g key={part} className="map-band">
            {rule && <path className="map-rule" d={`M0 ${rule}H${Math.ceil(full)}`} />}
            <text y={y + 19}>
              {fitLines(part, 8.4, 3).map((line, index) => (
                <tspan key={line} x="0" dy={index ? 19 : 0}>
                  {line}
                </tspan>
              ))}
              <tspan className="map-count" x="0" dy="18" data-part={part}>
                {count(lessons, 'lesson')}
              </tspan>
            </text>
          </g>
        ))}
        <g transform={`translate(${LABELS} 0)`}>
          <g className="map-arrows">
            {arrows.map(({ from, to, path, tip }) => (
              <g key={`${from} ${to}`} data-from={from} data-to={to}>
                <path d={path} />
                <path className="map-tip" d={tip} />
              </g>
            ))}
          </g>
          {nodes.map(({ place, x, y }) => (
            <Node key={place.lesson.folder} lesson={place.lesson} titles={titles} x={x} y={y} />
          ))}
        </g>
      </svg>
      <LessonList site={site} titles={titles} />
    </section>
  );
}

function LevelFilter() {
  return (
    <fieldset className="map-levels">
      <legend>Level</legend>
      {['all', ...LEVELS].map((level) => (
        <label key={level}>
          <input type="radio" name="map-level" value={level} defaultChecked={level === 'all'} />
          <span>
            {level !== 'all' && <Dots level={level as Level} />}
            {level === 'all' ? 'All levels' : level}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** One dot for beginner, two for intermediate, three for advanced. */
function Dots({ level }: { level: Level }) {
  const filled = LEVELS.indexOf(level) + 1;
  return (
    <svg className="map-dots" data-level={level} viewBox="0 0 26 8" aria-hidden="true">
      {LEVELS.map((name, index) => (
        <circle key={name} cx={4 + index * 9} cy="4" r="3" className={index < filled ? 'map-dot-on' : undefined} />
      ))}
    </svg>
  );
}

const needsText = (lesson: Summary, titles: Map<string, string>): string =>
  lesson.needs.flatMap((folder) => titles.get(folder) ?? []).join(', ');

interface NodeProps {
  lesson: Summary;
  titles: Map<string, string>;
  x: number;
  y: number;
}

function Node({ lesson, titles, x, y }: NodeProps) {
  const { folder, number, title, summary, level, minutes } = lesson;
  const needs = needsText(lesson, titles);
  const usual = fitLines(title, (NODE.width - 26) / TITLE.size, 4);
  const small = usual.length > 3;
  const lines = small ? fitLines(title, (NODE.width - 26) / TITLE.small, 4) : usual;
  const leading = small ? 14 : lines.length > 2 ? 17 : 18;
  const meta = [number, duration(minutes)].filter(Boolean).join(' · ');
  // what is seen comes first and in the same order, then what only the picture says
  const spoken = [`${meta} ${title} ${summary}`, level, needs && `needs ${needs}`].filter(Boolean);
  return (
    <a
      className="map-node"
      href={lessonUrl(folder)}
      data-lesson={folder}
      data-level={level}
      data-needs={lesson.needs.join(' ')}
      aria-label={spoken.join(', ')}
    >
      <g transform={`translate(${Math.round(x)} ${Math.round(y)})`}>
        <rect className="map-box" width={NODE.width} height={NODE.height} rx="6" />
        <rect className="map-share" x="6" y={NODE.height - 2} width={NODE.width - 12} height="2" />
        <text className="map-meta" x="13" y="19">
          {meta}
          <tspan className="map-read" dx="6" />{' '}
        </text>
        <g transform={`translate(${NODE.width - 39} 11)`}>
          {LEVELS.map((name, index) => (
            <circle
              key={name}
              cx={4 + index * 9}
              cy="4"
              r="3"
              className={index <= LEVELS.indexOf(level) ? 'map-dot map-dot-on' : 'map-dot'}
            />
          ))}
        </g>
        <text className={small ? 'map-title map-small' : 'map-title'} y={small ? 34 : lines.length > 2 ? 37 : 40}>
          {lines.map((line, index) => (
            <tspan key={line} x="13" dy={index ? leading : 0}>
              {`${line} `}
            </tspan>
          ))}
        </text>
      </g>
      <title>{summary}</title>
    </a>
  );
}

function LessonList({ site, titles }: { site: Site; titles: Map<string, string> }) {
  return (
    <div className="map-list">
      {site.parts.map((part) => {
        const lessons = site.lessons.filter((lesson) => lesson.part === part);
        if (lessons.length === 0) return null;
        return (
          <details key={part} open={site.lessons.length <= MANY}>
            <summary>
              <h3>{part}</h3> <span data-part={part}>{count(lessons.length, 'lesson')}</span>
            </summary>
            <ul>
              {lessons.map((lesson) => (
                <li key={lesson.folder} data-lesson={lesson.folder} data-level={lesson.level}>
                  <a href={lessonUrl(lesson.folder)}>{lesson.title}</a> <span className="home-tick" />
                  <p>
                    <Dots level={lesson.level} />
                    {lesson.level} · {duration(lesson.minutes)}
                  </p>
                  {lesson.needs.length > 0 && <p>needs {needsText(lesson, titles)}</p>}
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </div>
  );
}
