/** Small comforts for reading; the page is whole without them. */
import { followTrack } from './cards';
import { addCopyButtons } from './copy';
import { nameLines } from './lines';
import { followOutline } from './outline';
import { wakePlain } from './plain';
import { watchScrollers } from './scrollers';
import { openFolds } from './targets';
import { wakeTerms } from './terms';
import { addZoom } from './zoom';

export function mountReading(page: Document): void {
  wakePlain(page);
  nameLines(page); // before anything looks for one
  followOutline(page);
  followTrack(page);
  openFolds(page); // after it, for the track may fold what the address asks for
  addZoom(page);
  addCopyButtons(page);
  watchScrollers(page);
  wakeTerms(page);
}
