/** Annotated code: a function in steps, each with its formulas and words beside its lines (groundup.reader.steps). */
import type { Beside, Code, Mark, Step } from '../data';
import { escapeHtml } from './html';
import { equationId, renderWords, type TextContext } from './markdown';
import { setAgain } from './math';

/** `lines` makes the code from one line to another. */
export function stepsHtml(
  { name, steps }: Beside,
  { marks, shapes }: Code,
  context: TextContext,
  lines: (first: number, last: number, label: string) => string,
): string {
  const given = shapes.find((one) => one.name === name)?.text ?? '';
  const set = new Set<string>(); // formulas that stand here already
  const rows = steps.map((step, index) => {
    const where = step.start === step.end ? `line ${step.start}` : `lines ${step.start} to ${step.end}`;
    const words = wordsHtml(step, marks, context, set, index === 0 && !step.words.includes('→') ? given : '');
    return `<div class="step">${words}${lines(step.start, step.end, `${name}, ${where}`)}</div>`;
  });
  return `<div class="steps">${rows.join('')}</div>`;
}

/** Formulas first; one that an earlier step has shown is only its number here. */
function wordsHtml(step: Step, marks: Mark[], context: TextContext, set: Set<string>, shapes: string): string {
  const here = marks.filter(({ line }) => line >= step.start && line <= step.end).map(({ equation }) => equation);
  let html = '';
  const known: string[] = [];
  for (const tag of new Set(here)) {
    const formula = context.formulas?.get(tag);
    const number = `(${escapeHtml(tag)})`;
    const link = (text: string) =>
      `<a class="equation-number" href="#${equationId(tag)}" aria-label="Equation ${number}">${text}</a>`;
    if (formula === undefined) continue;
    if (set.has(tag)) known.push(link(number));
    else {
      set.add(tag);
      const body = `<div class="equation-body" tabindex="0" role="region" aria-label="Formula ${number}">${setAgain(formula)}</div>`;
      html += `<div class="step-formula">${body}${link(number)}</div>`;
    }
  }
  if (known.length) html += `<p class="step-known">${known.join(' ')}</p>`;
  if (step.words) html += `<p>${renderWords(step.words, context)}</p>`;
  if (shapes) html += `<p class="step-shapes">${escapeHtml(shapes)}</p>`;
  return html && `<div class="step-words">${html}</div>`;
}

const NUMBERS = /<span class="c">#\s*((?:\(\d\w*\)(?:, )?)+\s*)(.*)<\/span>$/;

/** A coloured line in which the numbers of equations that its comment begins with are not seen: formula or link stand beside it. */
export function withoutNumbers(html: string): string {
  return html.replace(NUMBERS, (whole, numbers: string, rest: string) =>
    rest
      ? `<span class="c"># <span class="told">${numbers}</span>${rest}</span>`
      : `<span class="told">${whole}</span>`,
  );
}
