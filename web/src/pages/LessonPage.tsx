import { Fragment, type ReactNode } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import type { Code, Exercise, Page, Site, Text } from '../data';
import { codePlaces } from '../render/code';
import { equationsIn, formulasIn, type Heading, renderText, renderWords, type TextContext } from '../render/markdown';
import { sentenceHtml, type Terms, termId, termsFor } from '../render/terms';
import { CodeCell, isPlumbing, Plumbing } from './CellViews';
import { FindingsFigure } from './FindingsFigure';
import { LessonHead } from './LessonHead';
import { ExerciseList } from './PracticeParts';
import { Questions } from './Questions';
import { type Assets, Shell } from './Shell';

const ROOT = '../../';

interface Props {
  page: Page;
  site: Site;
  /** Those of this lesson. */
  exercises: Exercise[];
  assets: Assets;
}

export function LessonPage({ page, site, exercises, assets }: Props) {
  const { lesson } = page;
  const texts = page.cells.filter((cell) => cell.type === 'text');
  const codes = page.cells.filter((cell) => cell.type === 'code');
  const equations = new Set(texts.flatMap((text) => equationsIn(text.markdown)));
  const terms = termsFor(
    site.glossary,
    lesson.folder,
    new Map(site.lessons.map((one) => [one.folder, one.title])),
    (folder) => `${ROOT}lessons/${folder}/`,
  );
  const context: TextContext = {
    equations,
    formulas: new Map(texts.flatMap((text) => formulasIn(text.markdown))),
    places: codePlaces(codes),
    lessons: new Map(
      site.lessons
        .filter((one) => one.folder !== lesson.folder)
        .map((one) => [one.slug, { href: `${ROOT}lessons/${one.folder}/`, title: one.title }]),
    ),
    exercises: new Map(exercises.map((one) => [one.name, { href: `${ROOT}practice/${one.name}/`, title: one.title }])),
    diagrams: page.diagrams,
    headings: [],
    ids: new Set(['text', 'outline', 'measured-findings', 'practise']),
    track: 'shared',
    terms,
  };
  const body: ReactNode[] = [];
  /** Where cells go now: the page, or a section that is folded, whose heading has this level. */
  let place = body;
  let level = 0;
  let hidden: Code[] = [];
  const fold = () => {
    const cells = hidden.map((one) => <CodeCell key={one.id} cell={one} context={context} />);
    if (hidden[0]) place.push(<Plumbing key={`plumbing-${hidden[0].id}`} cells={hidden} children={cells} />);
    hidden = [];
  };
  for (const cell of page.cells) {
    if (cell.type === 'code' && cell.data) continue;
    const joins = cell.type === 'code' && isPlumbing(cell);
    if (!joins || hidden[0]?.track !== cell.track) fold();
    const begins = cell.type === 'text' ? headingLevel(cell) : 0;
    if (cell.type === 'text' && begins > 0 && (place === body || begins <= level)) {
      place = body;
      if (cell.second || (begins === 2 && cell.track === 'torch')) {
        place = [];
        level = begins;
        const cells = sectionFrom(page.cells, cell, level);
        body.push(<Folded key={`second-${cell.id}`} cell={cell} cells={cells} context={context} children={place} />);
      }
    }
    if (joins) hidden.push(cell);
    else if (cell.type === 'code') place.push(<CodeCell key={cell.id} cell={cell} context={context} />);
    else place.push(<TextCell key={cell.id} cell={cell} html={textHtml(cell, page, context)} page={page} />);
  }
  fold();
  const headings = context.headings.filter((heading) => heading.level > 1);
  const title = context.headings.find((heading) => heading.level === 1);
  const index = site.lessons.findIndex((one) => one.folder === lesson.folder);
  return (
    <Shell
      title={`${lesson.title} · groundup`}
      description={lesson.summary}
      root={ROOT}
      page="lesson"
      lesson={lesson.folder}
      tracks={lesson.tracks.length > 1}
      assets={assets}
      version={site.version}
    >
      <div className="lesson">
        <Outline headings={headings} />
        <main id="text" tabIndex={-1}>
          <LessonHead
            page={page}
            site={site}
            root={ROOT}
            titleHtml={title?.html ?? lesson.title}
            exercises={exercises.length}
          />
          {codes.some((cell) => cell.waiting) && (
            <p className="lesson-waiting" role="status">
              This lesson is being run on your machine: its outputs and figures appear here by themselves.
            </p>
          )}
          <article className="text">{body}</article>
          <div className="end" data-mark-read="" />
          {/* filled by a script, which knows what has been read */}
          <nav aria-label="Where to go on" data-onwards="" />
          {exercises.length > 0 && (
            <section className="practise" aria-labelledby="practise">
              <h2 id="practise">Practise this</h2>
              <p>Write these functions yourself; a grader says whether they are right.</p>
              <ExerciseList exercises={exercises} root={ROOT} />
            </section>
          )}
          <Glossary terms={terms} />
          <nav className="neighbours" aria-label="Lessons before and after">
            <Neighbour site={site} index={index - 1} rel="prev" />
            <Neighbour site={site} index={index + 1} rel="next" />
          </nav>
        </main>
      </div>
    </Shell>
  );
}

/** The title and the reference are in the head of the page already, so the first text starts after them. */
function textHtml(cell: Text, page: Page, context: TextContext): string {
  context.track = cell.track;
  const own = cell.margin ? { ...context, terms: undefined } : context; // a note has no notes
  const html = renderText(cell.markdown, own) + askedHtml(cell, own);
  const untitled = html.replace(/^<h1[\s\S]*?<\/h1>\n/, '');
  if (untitled === html || !page.lesson.paper) return untitled;
  const reference = /^<p><em>[\s\S]*?<\/em><\/p>\n/.exec(untitled)?.[0] ?? '';
  return reference.includes(page.lesson.paper.url) ? untitled.slice(reference.length) : untitled;
}

/** What interviewers ask, as cards behind the text. No term is marked on them: a card has no margin for its note. */
function askedHtml({ questions }: Text, context: TextContext): string {
  if (questions.length === 0) return '';
  const bare = { ...context, terms: undefined };
  const cards = <Questions questions={questions} render={(markdown) => renderText(markdown, bare)} />;
  return `<p class="asked"><strong>Asked in interviews</strong></p>${renderToStaticMarkup(cards)}`;
}

/** The level of the text's first heading that begins a section: 1 to 3, or 0. */
function headingLevel({ markdown }: Text): number {
  return /^(#{1,3}) /m.exec(markdown)?.[1]?.length ?? 0;
}

function sectionFrom(cells: Page['cells'], first: Text, level: number): Page['cells'] {
  const from = cells.indexOf(first);
  const next = cells.findIndex((cell, index) => {
    const begins = index > from && cell.type === 'text' ? headingLevel(cell) : 0;
    return begins > 0 && begins <= level;
  });
  return cells.slice(from, next < 0 ? cells.length : next);
}

/** What it takes to read them: 200 words a minute, and three seconds a line of code. */
function minutes(cells: Page['cells']): number {
  const needed = cells.map((cell) =>
    cell.type === 'text'
      ? cell.markdown.split(/\s+/).length / 200
      : isPlumbing(cell) || cell.data
        ? 0
        : cell.source.split('\n').length / 20,
  );
  return Math.max(1, Math.round(needed.reduce((sum, one) => sum + one, 0)));
}

interface FoldedProps {
  cell: Text;
  cells: Page['cells'];
  context: TextContext;
  children: ReactNode;
}

/** A section that one can leave out at first: it is for a second reading, or tells the same in PyTorch. */
function Folded({ cell, cells, context, children }: FoldedProps) {
  const title = /^#{2,3} +(.*)$/m.exec(cell.markdown)?.[1] ?? '';
  const html = renderWords(title, context);
  const long = minutes(cells);
  return (
    <details className="second" data-track={cell.track}>
      <summary>
        {/* safe: Markdown with HTML disabled */}
        {cell.second && 'For a second reading: '}
        <b dangerouslySetInnerHTML={{ __html: html }} /> <small>{long === 1 ? '1 minute' : `${long} minutes`}</small>
      </summary>
      {children}
    </details>
  );
}

function TextCell({ cell, html, page }: { cell: Text; html: string; page: Page }) {
  return (
    <div
      className={`prose${cell.margin ? ' in-margin' : ''}`}
      data-text={cell.id}
      data-track={cell.track}
      role={cell.margin ? 'note' : undefined}
    >
      {/* safe: Markdown with HTML disabled */}
      <div dangerouslySetInnerHTML={{ __html: html }} />
      {cell.findings && page.findings && <FindingsFigure record={page.findings} paper={page.lesson.paper !== null} />}
    </div>
  );
}

/** The terms that the text has marked, for print and for pages without scripts; a link to one opens it. */
function Glossary({ terms }: { terms: Terms }) {
  if (terms.met.size === 0) return null;
  return (
    <details className="glossary">
      <summary>Terms that other lessons explain</summary>
      <ul>
        {[...terms.met].map((term) => (
          // safe: sentenceHtml escapes what it is given
          <li key={term.term} id={termId(term)} dangerouslySetInnerHTML={{ __html: sentenceHtml(term, terms) }} />
        ))}
      </ul>
    </details>
  );
}

function Outline({ headings }: { headings: Heading[] }) {
  return (
    <aside className="outline" id="outline">
      <details open>
        <summary>
          <span>In this lesson</span> <span className="outline-at" data-outline-at="" />
        </summary>
        <nav aria-label="In this lesson" data-outline="">
          <ol>
            {headings.map((heading, index) => (
              <Fragment key={heading.id}>
                {heading.track === 'torch' && headings[index - 1]?.track !== 'torch' && (
                  <li className="outline-track" data-track="torch">
                    PyTorch
                  </li>
                )}
                <li className={`level-${heading.level}`} data-track={heading.track}>
                  {/* safe: Markdown with HTML disabled */}
                  <a href={`#${heading.id}`} dangerouslySetInnerHTML={{ __html: heading.html }} />
                </li>
              </Fragment>
            ))}
          </ol>
        </nav>
      </details>
    </aside>
  );
}

function Neighbour({ site, index, rel }: { site: Site; index: number; rel: 'prev' | 'next' }) {
  const lesson = site.lessons[index];
  if (!lesson) return <span />;
  return (
    <a className={rel} rel={rel} href={`${ROOT}lessons/${lesson.folder}/`}>
      <small>{rel === 'prev' ? 'Previous lesson' : 'Next lesson'}</small>
      {lesson.title}
    </a>
  );
}
