/** Small comforts for reading; the page is whole without them. */
import { addCopyButtons } from './copy';
import { followOutline } from './outline';
import { wakePairs } from './pairs';
import { watchScrollers } from './scrollers';
import { openFolds } from './targets';
import { wakeTerms } from './terms';
import { addZoom } from './zoom';

export function mountReading(page: Document): void {
  followOutline(page);
  openFolds(page);
  wakePairs(page);
  addZoom(page);
  addCopyButtons(page);
  watchScrollers(page);
  wakeTerms(page);
}
