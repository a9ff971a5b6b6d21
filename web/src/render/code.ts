/** Code cells as HTML: lines with anchors, folded helpers, and functions side by side with their PyTorch twins. */
import type { Code, Twin } from '../data';
import { highlight } from './highlight';
import { escapeHtml } from './html';
import { type CodePlace, equationId } from './markdown';

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
    const lines = cell.source.split('\n');
    const marks = [...cell.marks].sort((one, other) => one.line - other.line);
    for (const { line, equation } of marks) {
      const known = places.get(equation) ?? [];
      places.set(equation, known);
      const name = functionAt(lines, line) ?? cell.id;
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

/** A line that may have to wrap says how far it is indented, so that its rest can follow suit. */
function lineHtml(source: string, html: string, attributes = ''): string {
  const indent = source.length > 50 ? source.search(/\S/) : 0;
  return `<span class="line"${attributes}${indent > 0 ? ` style="--in:${indent}"` : ''}>${html}</span>`;
}

export function renderCode(cell: Code, equations: Set<string>): string {
  const colours = highlight(cell.source);
  const marks = new Map<number, string[]>();
  for (const mark of cell.marks) {
    if (equations.has(mark.equation)) marks.set(mark.line, [...(marks.get(mark.line) ?? []), mark.equation]);
  }
  const source = cell.source.split('\n');
  const isBlank = (line: number) => !source[line - 1]?.trim();
  /** The lines from first to last without blank ones at its ends. */
  const block = (first: number, last: number, name = ''): string => {
    let [start, end] = [first, last];
    while (start <= end && isBlank(start)) start += 1;
    while (end >= start && isBlank(end)) end -= 1;
    if (start > end) return '';
    const lines: string[] = [];
    for (let line = start; line <= end; line += 1) {
      const links = (marks.get(line) ?? []).map(
        (tag) =>
          `<a class="mark" href="#${equationId(tag)}" aria-label="Equation ${escapeHtml(tag)}" data-mark="(${escapeHtml(tag)})"></a>`,
      );
      const html = (colours[line - 1] ?? '') + links.join('');
      lines.push(lineHtml(source[line - 1] ?? '', html, ` id="${lineId(cell.id, line)}"`));
    }
    const label = name || `Code of ${cell.id} from line ${start}`;
    return pre(lines, 'shiki', label, ` style="--from:${start - 1}"`);
  };
  /** The lines from start to end, with the pairs in their places. */
  const pieces = (start: number, end: number): string => {
    let html = '';
    let line = start;
    for (const twin of inside(cell.twins, start, end)) {
      if (twin.start < line) continue;
      html += block(line, twin.start - 1);
      html += pair(twin, cell.id, block(twin.start, twin.end, `${twin.function} in NumPy, from line ${twin.start}`));
      line = twin.end + 1;
    }
    return html + block(line, end);
  };
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

function foldTitle(label: string): string {
  const names = label.split(', ').filter(Boolean);
  if (label === 'imports' || !names.length) return escapeHtml(label || 'more code');
  const shown = names.slice(0, 5).map((name) => `<code>${escapeHtml(name)}</code>`);
  if (names.length > shown.length) shown.push('…');
  return `${names.length} ${names.length === 1 ? 'helper' : 'helpers'}: ${shown.join(', ')}`;
}

/** A function in both tracks. Which sides show is up to the style sheet and <html data-track>. */
function pair(twin: Twin, cell: string, numpy: string): string {
  const button = (track: string, title: string) => `<button type="button" data-set-track="${track}">${title}</button>`;
  const twinLines = twin.source.split('\n');
  const torch = pre(
    highlight(twin.source).map((html, index) => lineHtml(twinLines[index] ?? '', html)),
    'shiki',
    `${twin.function} of ${cell} in PyTorch`,
    ' style="--from:0"',
  );
  const side = (track: string, title: string, name: string, more: string, code: string) =>
    `<div class="pair-side" data-side="${track}"><div class="pair-name"><b>${title}</b> <code>${escapeHtml(name)}</code>${more}</div>${code}</div>`;
  const below = `<a href="#cell-${escapeHtml(twin.cell)}">runs below</a>`;
  return (
    `<div class="pair"><div class="pair-switch" role="group" aria-label="Show ${escapeHtml(twin.function)} in">` +
    `${button('numpy', 'NumPy')}${button('torch', 'PyTorch')}</div>` +
    `${side('numpy', 'NumPy', twin.function, '', numpy)}${side('torch', 'PyTorch', twin.name, below, torch)}</div>`
  );
}
