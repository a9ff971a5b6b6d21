import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { mountInterview } from '../interview';
import { kernelUrl, readConfig, siteRoot } from '../runtime';
import { Desk } from './Desk';
import { wakeFilters } from './filters';
import { showStates } from './states';
import { CHANGED } from './store';
import type { Exercise, States } from './types';
import './list.css';
import './practice.css';

/** Wakes the list of exercises, or the page of one. */
export function mountPractice(page: Document): void {
  const show = (states?: States) => {
    showStates(page, states);
    if (states) page.dispatchEvent(new Event(CHANGED));
  };
  show();
  window.addEventListener('storage', () => show()); // another tab
  window.addEventListener('pageshow', ({ persisted }) => persisted && show());
  const place = page.querySelector<HTMLElement>('[data-desk]');
  const built = page.querySelector<HTMLElement>('[data-starter]');
  const exercise = place && built && readExercise(page, place, built);
  if (exercise) createRoot(place).render(createElement(Desk, { exercise, built, page, kept: show }));
  wakeFilters(page);
  mountInterview(page);
  void askKernel(page, show);
}

function readExercise(page: Document, { dataset }: HTMLElement, built: HTMLElement): Exercise {
  const { name = '', hash = '', folder = '', minutes, torch, zip = '', call = '' } = dataset;
  const lines = [...built.querySelectorAll('.line')].map((line) => line.textContent ?? '');
  const starter = `${lines.join('\n')}\n`;
  const root = page.body.dataset.root ?? '';
  return { name, hash, folder, minutes: Number(minutes), torch: torch !== undefined, starter, root, zip, call };
}

/** What the command line's file knows, where there is a kernel. */
async function askKernel(page: Document, hear: (states: States) => void): Promise<void> {
  const base = siteRoot(page.body.dataset.root ?? '');
  if ((await readConfig(base))?.kind !== 'kernel') return;
  const { askProgress } = await import('./kernel');
  askProgress(kernelUrl(base), hear);
}
