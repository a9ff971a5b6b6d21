/** What the node build calls: data in, files' contents out. */
import { renderToStaticMarkup } from 'react-dom/server';
import type { CellSource, Page, Site } from '../data';
import { LessonPage } from '../pages/LessonPage';
import { Home, NotFound } from '../pages/OtherPages';
import type { Assets } from '../pages/Shell';
import { buildSearchIndex } from '../search/build';
import { startHighlighter } from './highlight';

export { buildSearchIndex, startHighlighter };

export function lessonHtml(page: Page, site: Site, assets: Assets): string {
  return `<!doctype html>${renderToStaticMarkup(<LessonPage page={page} site={site} assets={assets} />)}`;
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
