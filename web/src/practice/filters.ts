/** The list's filters: what they are set to stands in the address, so that a link or the way back brings it again. */
import { getProgress } from '../progress/store';
import { isSolved } from './states';
import { CHANGED } from './store';

export function wakeFilters(page: Document): void {
  const form = page.querySelector<HTMLFormElement>('form[data-filters]');
  if (!form) return;
  const fields = [...form.querySelectorAll<HTMLInputElement | HTMLSelectElement>('select, input')];
  recall(fields);
  const { last } = getProgress();
  const reading = page.querySelector<HTMLDetailsElement>(`[data-fold-of="${CSS.escape(last ?? '')}"]`);
  if (reading) {
    const part = reading.closest<HTMLDetailsElement>('.practice-part');
    for (const other of page.querySelectorAll<HTMLDetailsElement>('.practice-part')) other.open = other === part;
    reading.open = true;
    showReading(page, reading);
  }
  const show = (): void => apply(page, form);
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => {
    remember(fields);
    show();
  });
  page.addEventListener(CHANGED, show);
  show();
}

/** Leads to the exercises of the lesson that was read last. */
function showReading(page: Document, fold: HTMLDetailsElement): void {
  const place = page.querySelector<HTMLElement>('[data-here]');
  const title = fold.closest('section')?.querySelector('h2');
  if (!place || !title) return;
  const link = page.createElement('a');
  link.href = `#${title.id}`;
  link.textContent = title.textContent;
  place.replaceChildren('You read last: ', link);
  place.hidden = false;
}

function recall(fields: (HTMLInputElement | HTMLSelectElement)[]): void {
  const asked = new URLSearchParams(location.search);
  for (const field of fields) {
    const value = asked.get(field.name);
    if (value === null) continue;
    if (field instanceof HTMLInputElement) field.checked = true;
    else if ([...field.options].some((option) => option.value === value)) field.value = value;
  }
}

function remember(fields: (HTMLInputElement | HTMLSelectElement)[]): void {
  const asked = new URLSearchParams();
  for (const field of fields) {
    if (field instanceof HTMLInputElement) {
      if (field.checked) asked.set(field.name, '1');
    } else if (field.value) asked.set(field.name, field.value);
  }
  const text = asked.toString();
  history.replaceState(null, '', `${location.pathname}${text && `?${text}`}${location.hash}`);
}

function apply(page: Document, form: HTMLFormElement): void {
  const data = new FormData(form);
  const lesson = data.get('lesson');
  const [least = 1, most = 5] = String(data.get('level') || '1-5')
    .split('-')
    .map(Number);
  const fits = ({ dataset }: HTMLElement): boolean => {
    const difficulty = Number(dataset.difficulty);
    return (
      difficulty >= least &&
      difficulty <= most &&
      (!data.has('torch') || dataset.torch !== undefined) &&
      (!data.has('asked') || dataset.asked !== undefined) &&
      (!data.has('unsolved') || !isSolved(exerciseOf(dataset)))
    );
  };
  const chosen = Boolean(lesson || data.get('level') || form.matches(':has(:checked[type="checkbox"])'));
  let [found, sections] = [0, 0];
  for (const section of page.querySelectorAll<HTMLElement>('section[data-of]')) {
    let own = 0;
    for (const item of section.querySelectorAll<HTMLElement>('li[data-exercise]')) {
      item.hidden = !fits(item);
      own += Number(!item.hidden);
    }
    const fold = section.querySelector<HTMLDetailsElement>('.practice-own');
    if (fold && chosen) fold.open = true;
    section.hidden = own === 0 || (Boolean(lesson) && section.dataset.of !== lesson);
    if (section.hidden) continue;
    found += own;
    sections += 1;
  }
  for (const part of page.querySelectorAll<HTMLDetailsElement>('.practice-part')) {
    part.hidden = part.querySelector('section:not([hidden])') === null;
    if (chosen) part.open = true;
  }
  const said = form.querySelector('output');
  if (said) said.value = found === 1 ? '1 exercise' : `${found} exercises`;
  const none = page.querySelector<HTMLElement>('[data-none]');
  if (none) none.hidden = sections > 0;
}

/** What an entry of the list says of its exercise. */
export function exerciseOf({ exercise = '' }: DOMStringMap): { name: string; hash: string } {
  const state = document.querySelector<HTMLElement>(`[data-state-of="${CSS.escape(exercise)}"]`);
  return { name: exercise, hash: state?.dataset.hash ?? '' };
}
