// Loaded when the search is first opened, with MiniSearch.

import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { type Packed, unpack } from './data';
import { type Engine, makeEngine } from './engine';
import { SearchDialog } from './SearchDialog';
import './search.css';

async function loadEngine(root: string): Promise<Engine> {
  const answer = await fetch(`${root}search.json`);
  if (!answer.ok) throw new Error(`search.json: ${answer.status}`);
  return makeEngine(unpack((await answer.json()) as Packed));
}

/** Puts the dialog on the page; answers with the function that shows it. */
export function prepare(page: Document): (typed: string) => void {
  const root = page.body.dataset.root ?? '';
  const dialog = page.createElement('dialog');
  dialog.className = 'search';
  dialog.setAttribute('aria-label', 'Search');
  page.body.append(dialog);
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close(); // beside the panel
  });
  const load = (): Promise<Engine> => loadEngine(root);
  const whole = <SearchDialog root={root} load={load} close={() => dialog.close()} />;
  flushSync(() => createRoot(dialog).render(whole)); // the field is there before the dialog shows
  return (typed) => {
    if (!dialog.open) dialog.showModal();
    const field = dialog.querySelector('input');
    field?.select();
    if (field && typed) {
      field.setRangeText(typed, 0, field.value.length, 'end');
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
  };
}
