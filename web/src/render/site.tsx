/** What the node build calls: data in, files' contents out. */
import { renderToStaticMarkup } from 'react-dom/server';
import type { CellSource, Exercise, Page, Question, Site } from '../data';
import { LessonPage } from '../pages/LessonPage';
import { Home, NotFound } from '../pages/OtherPages';
import { PracticeList } from '../pages/PracticeList';
import { PracticePage, solutionOf } from '../pages/PracticePage';
import type { Assets } from '../pages/Shell';
import { buildSearchIndex } from '../search/build';
import { buildWay } from '../way/data';
import { startHighlighter } from './highlight';

export { buildSearchIndex, buildWay, solutionOf, startHighlighter };

export function lessonHtml(page: Page, site: Site, exercises: Exercise[], assets: Assets): string {
  const own = exercises.filter(({ folder }) => folder === page.lesson.folder);
  const element = <LessonPage page={page} site={site} exercises={own} assets={assets} />;
  return `<!doctype html>${renderToStaticMarkup(element)}`;
}

export function practiceHtml(
  exercises: Exercise[],
  questions: Record<string, Question[]>,
  site: Site,
  assets: Assets,
): string {
  const element = <PracticeList exercises={exercises} questions={questions} site={site} assets={assets} />;
  return `<!doctype html>${renderToStaticMarkup(element)}`;
}

/** `zip` is the address of the grader for the browser, from the site's root. */
export function exerciseHtml(exercises: Exercise[], index: number, site: Site, assets: Assets, zip: string): string {
  const element = <PracticePage exercises={exercises} index={index} site={site} assets={assets} zip={zip} />;
  return `<!doctype html>${renderToStaticMarkup(element)}`;
}

export function homeHtml(site: Site, assets: Assets): string {
  return `<!doctype html>${renderToStaticMarkup(<Home site={site} assets={assets} />)}`;
}

export function notFoundHtml(site: Site, assets: Assets): string {
  return `<!doctype html>${renderToStaticMarkup(<NotFound site={site} assets={assets} />)}`;
}

/** The raw sources that a runtime needs to run a lesson's cells. */
export function cellSources(page: Page): CellSource[] {
  return page.cells
    .filter((cell) => cell.type === 'code')
    .map(({ id, track, source, torchSource, data, needs }) => ({ id, track, source, torchSource, data, needs }));
}
