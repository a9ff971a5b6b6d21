import { kernelUrl, readConfig, siteRoot } from '../runtime';
import type { Exercise, Grader, States } from './types';

const NO_PYTHON =
  'This copy of the site has no Python behind it. Install groundup, then check your answer with “groundup learn” or “groundup practice”.';
const NO_CONFIG = 'The page cannot reach its site now. Is this device online?';

export interface Places {
  status(text: string): void;
  states(states: States): void;
}

/** The grader behind this page. `why` is a sentence if there is none for this exercise. */
export interface Found {
  grader: Grader;
  why: string;
}

export async function findGrader(exercise: Exercise, { status, states }: Places): Promise<Found> {
  const base = siteRoot(exercise.root);
  const config = await readConfig(base);
  if (config?.kind === 'kernel') {
    const { kernelGrader } = await import('./kernel');
    return { grader: kernelGrader(kernelUrl(base), exercise.name, exercise.folder, states), why: '' };
  }
  if (!config || config.kind === 'none') return none(config ? NO_PYTHON : NO_CONFIG);
  if (exercise.torch)
    return none(
      `PyTorch does not run in a browser. Install groundup, then check your answer with “groundup learn” or “groundup practice check ${exercise.name}”.`,
    );
  const { pyodideGrader } = await import('./pyodide');
  const [python, zip] = [new URL(config.url, base).href, new URL(exercise.zip, base).href];
  return { grader: pyodideGrader(python, zip, exercise.name, exercise.folder, status), why: '' };
}

function none(why: string): Found {
  const refuse = () => Promise.reject(new Error(why));
  return { grader: { check: refuse, attempt: refuse, stop: () => {}, note: () => {} }, why };
}
