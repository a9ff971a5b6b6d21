/** Code cells as HTML: lines with anchors, folded helpers and docstrings, and cards with functions' PyTorch twins. */
import type { Code, Twin } from '../data';
import { highlight } from './highlight';
import { escapeHtml } from './html';
import { type CodePlace, equationId, type TextContext } from './markdown';
import { stepsHtml, withoutNumbers } from './steps';

/** Each line is a block of its own. `pre` scrolls sideways where its lines are long; then the keyboard must reach it. */
export function pre(lines: string[], name: string, label: string, attributes = ''): string {
  return `<pre class="${name}" tabindex="0" role="region" aria-label="${escapeHtml(label)}"${attributes}>${lines.join('')}</pre>`;
}

export function lineId(cell: string, line: number): string {
  return `${cell}-L${line}`;
}

/** Where the code implements equations, by their numbers. */
export function codePlaces(cells: Code[]): Map<string, CodePlace[]> {
  const places = new Map<string, CodePlace[]>();
  for (const cell of cells) {
    if (cell.fold === 'again') continue; // the first time is the place to look
    const lines = cell.source.split('\n');
    const marks = [...cell.marks].sort((one, other) => one.line - other.line);
    for (const { line, equation } of marks) {
      const inside = functionAt(lines, line);
      if (cell.fold && !inside) continue; // a line of what is folded away, in no function
      const known = places.get(equation) ?? [];
      places.set(equation, known);
      const name = inside ?? cell.id;
      let place = known.find((one) => one.name === name && one.runs.at(-1)?.anchor.startsWith(`${cell.id}-L`));
      if (!place) {
        place = { name, runs: [] };
        known.push(place);
      }
      const run = place.runs.at(-1);
      if (run && run.last === line - 1) run.last = line;
      else place.runs.push({ anchor: lineId(cell.id, line), first: line, last: line });
    }
  }
  return places;
}

/** The name of the top-level function or class that a line belongs to. */
function functionAt(lines: string[], line: number): string | undefined {
  for (let index = line - 1; index >= 0; index -= 1) {
    const name = /^(?:def|class) (\w+)/.exec(lines[index] ?? '')?.[1];
    if (name) return name;
    if (index < line - 1 && /^[^\s#)\]}@]/.test(lines[index] ?? '')) return undefined;
  }
  return undefined;
}

/**
 * A line that may have to wrap says how far it is indented, so that its rest can follow suit. Of the two backticks that
 * docstrings write around code, one is seen.
 */
function lineHtml(source: string, html: string, attributes = '', styles = ''): string {
  const indent = source.length > 50 ? source.search(/\S/) : 0;
  const style = [indent > 0 ? `--in:${indent}` : '', styles].filter(Boolean).join(';');
  const ticks = html.replaceAll('``', '`<span class="rst">`</span>');
  return `<span class="${source.trim() ? 'line' : 'line blank'}"${attributes}${style && ` style="${style}"`}>${ticks}</span>`;
}

export function renderCode(cell: Code, context: TextContext): string {
  const colours = highlight(cell.source);
  const marks = new Map<number, string[]>();
  for (const mark of cell.marks) {
    if (context.equations.has(mark.equation)) marks.set(mark.line, [...(marks.get(mark.line) ?? []), mark.equation]);
  }
  const source = cell.source.split('\n');
  const inner = new Map(cell.inner.map((fold) => [fold.start, fold]));
  const moved = new Set(cell.beside.flatMap(({ steps }) => steps.flatMap((step) => step.moved)));
  const isBeside = (line: number) => cell.beside.some(({ start, end }) => start <= line && line <= end);
  const led = new Set(cell.marks.map(({ line }) => line)); // to; the others get their names from a script
  const nameOf = (line: number) => (led.has(line) ? ` id="${lineId(cell.id, line)}"` : '');
  const isBlank = (line: number) => !source[line - 1]?.trim();
  const lineOf = (line: number, styles = ''): string => {
    const tags = marks.get(line) ?? [];
    const told = tags.length > 0 && isBeside(line); // the formula itself stands beside the line
    const links = (told ? [] : tags).map(
      (tag) =>
        `<a class="mark" href="#${equationId(tag)}" aria-label="Equation ${escapeHtml(tag)}" data-mark="(${escapeHtml(tag)})"></a>`,
    );
    const colour = colours[line - 1] ?? '';
    const html = (tags.length > 0 ? withoutNumbers(colour) : colour) + links.join(''); // a link says the number
    return lineHtml(source[line - 1] ?? '', html, nameOf(line), styles);
  };
  /** The lines from first to last without blank ones at its ends, some of them folded. */
  const block = (first: number, last: number, name = ''): string => {
    let [start, end] = [first, last];
    while (start <= end && isBlank(start)) start += 1;
    while (end >= start && isBlank(end)) end -= 1;
    if (start > end) return '';
    const label = name || `Code of ${cell.id} from line ${start}`;
    const from = ` style="--from:${start - 1}"`;
    const isLed = cell.fold !== 'again' && cell.marks.some(({ line }) => start <= line && line <= end);
    const isPlain = cell.fold && !isLed; // a script gives it lines and colours
    if (isPlain) return pre([escapeHtml(source.slice(start - 1, end).join('\n'))], 'shiki plain', label, from);
    const lines: string[] = [];
    let counted = true;
    for (let line = start; line <= end; line += 1) {
      if (moved.has(line)) {
        lines.push(lineHtml(source[line - 1] ?? '', colours[line - 1] ?? '', `${nameOf(line)} hidden`));
        counted = false;
        continue;
      }
      const fold = inner.get(line);
      if (fold && fold.end <= end) {
        const indent = (source[line - 1] ?? '').search(/\S/);
        const label = `<span class="inner-label" style="--in:${indent}">${escapeHtml(fold.label)}</span>`;
        const rest = Array.from({ length: fold.end - line + 1 }, (_, index) => lineOf(line + index)).slice(
          fold.label ? 0 : 1,
        );
        const first = fold.label ? label : lineOf(line);
        lines.push(`<details class="inner"><summary>${first}</summary>${rest.join('')}</details>`);
        line = fold.end;
        counted = false;
        continue;
      }
      lines.push(lineOf(line, counted ? '' : `counter-set:line ${line}`)); // closed details do not count
      counted = true;
    }
    return pre(lines, 'shiki', label, from);
  };
  /** The lines from first to last, the functions among them in steps that are shown so. */
  const annotated = (first: number, last: number, name = ''): string => {
    let html = '';
    let line = first;
    for (const one of cell.beside.filter(({ start, end }) => start >= first && end <= last)) {
      html += block(line, one.start - 1) + stepsHtml(one, cell, context, block);
      line = one.end + 1;
    }
    return html + block(line, last, line === first ? name : '');
  };
  /** The lines from start to end, and below each function what PyTorch has for it. */
  const pieces = (start: number, end: number): string => {
    let html = '';
    let line = start;
    for (const twin of inside(cell.twins, start, end)) {
      if (twin.start < line) continue;
      const code = annotated(twin.start, twin.end, `${twin.function} in NumPy, from line ${twin.start}`);
      html += `${annotated(line, twin.start - 1)}<div data-side="numpy">${code}</div>${card(twin, cell.id)}`;
      line = twin.end + 1;
    }
    return html + annotated(line, end);
  };
  if (cell.fold) return pieces(1, source.length);
  return cell.segments
    .map(({ start, end, folded, label }) => {
      const inner = pieces(start, end);
      return folded ? `<details class="fold"><summary>${foldTitle(label)}</summary>${inner}</details>` : inner;
    })
    .join('');
}

function inside(twins: Twin[], start: number, end: number): Twin[] {
  return twins.filter((one) => one.start >= start && one.end <= end).sort((one, other) => one.start - other.start);
}

/** "3 helpers: softmax, linear, …" */
export function foldTitle(label: string): string {
  const names = label.split(', ').filter((name) => name && name !== 'imports');
  if (!names.length) return label ? 'Imports' : 'More code';
  const shown = names.map((name) => `<code>${escapeHtml(name)}</code>`);
  return `${names.length} ${names.length === 1 ? 'helper' : 'helpers'}: ${shown.join(', ')}`;
}

/** The PyTorch counterpart of a function: one line, and its code when it is opened. */
function card(twin: Twin, cell: string): string {
  const lines = twin.source.split('\n');
  const code = pre(
    highlight(twin.source).map((html, index) => lineHtml(lines[index] ?? '', html)),
    'shiki',
    `${twin.function} of ${cell} in PyTorch`,
    ' style="--from:0"',
  );
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`;
  const where = `<a href="#cell-${escapeHtml(twin.cell)}">runs in ${escapeHtml(twin.cell)}</a>`;
  return (
    `<details class="torch-card"><summary><b>In PyTorch</b> <code>${escapeHtml(twin.name)}</code> <span>${count}</span>` +
    `</summary>${code}<p class="torch-foot">${twin.cell ? where : ''}</p></details>`
  );
}
