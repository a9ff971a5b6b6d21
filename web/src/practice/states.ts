/** Shows how far one is with each exercise: what this device knows, and with a kernel the command line's file too. */
import { read, stateOf } from './store';
import type { State, States } from './types';

const WORDS: Record<State, string> = {
  new: '',
  started: 'started',
  skipped: 'skipped',
  tried: 'tried',
  'gave up': 'gave up',
  changed: 'changed since you solved it',
  solved: 'solved',
};
/** Of two states the later one in this list holds. */
const ORDER: State[] = ['new', 'skipped', 'started', 'tried', 'gave up', 'changed', 'solved'];

let others: States = {};

export function isSolved({ name, hash }: { name: string; hash: string }): boolean {
  return stateOf(read(name), hash) === 'solved' || others[name] === 'solved';
}

/** `known` is what the command line's file says, once it is known. */
export function showStates(page: Document, known?: States): void {
  others = known ?? others;
  const places = [...page.querySelectorAll<HTMLElement>('[data-state-of]')];
  let solved = 0;
  for (const place of places) {
    const { stateOf: name = '', hash = '' } = place.dataset;
    const states = [stateOf(read(name), hash), others[name] ?? 'new'];
    const state = states.reduce((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one));
    place.dataset.state = state;
    place.textContent = WORDS[state];
    solved += Number(state === 'solved');
  }
  const summary = page.querySelector('[data-practice-summary]');
  if (summary && solved) summary.textContent = `You have solved ${solved} of ${places.length}.`;
}
