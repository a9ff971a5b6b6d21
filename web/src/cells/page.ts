// What a built lesson page says about its cells.
import type { Code } from '../data';

export interface LiveCell {
  id: string;
  track: Code['track'];
  /** Seconds at build time, with everything it depends on. */
  total: number;
  /** Why it cannot run in the browser; empty if it can. */
  why: string;
  section: HTMLElement;
  actions: HTMLElement;
  code: HTMLElement;
  output: HTMLElement;
  /** Whether the build left anything to see. */
  built: boolean;
}

export interface LessonPage {
  document: Document;
  /** Path of the site's root, as the page writes it. */
  root: string;
  folder: string;
  /** What the command line calls the lesson. */
  command: string;
  cells: LiveCell[];
}

export function readPage(document: Document): LessonPage | null {
  const { root, lesson: folder, page } = document.body.dataset;
  if (page !== 'lesson' || !folder) return null;
  const sections = [...document.querySelectorAll<HTMLElement>('section.cell[data-live]')];
  const cells = sections.flatMap((section) => {
    const part = (name: string) => section.querySelector<HTMLElement>(`[${name}]`);
    const [actions, code, output] = [part('data-actions'), part('data-code'), part('data-output')];
    const { cell: id, track, total, why } = section.dataset;
    if (!id || !actions || !code || !output) return [];
    const built = output.childElementCount > 0;
    return [{ id, track: trackOf(track), total: Number(total), why: why ?? '', section, actions, code, output, built }];
  });
  return { document, root: root ?? '', folder, command: commandName(folder), cells };
}

function trackOf(name: string | undefined): Code['track'] {
  return name === 'torch' || name === 'shared' ? name : 'numpy';
}

/** "13" for p13_attention_is_all_you_need; lessons without a number go by their folder. */
function commandName(folder: string): string {
  return /^[pm](\d+)_/.exec(folder)?.[1] ?? folder;
}

/** The cell's lines as the build shows them; the page leaves out blank lines between functions. */
export function builtText(cell: LiveCell): string {
  const lines: string[] = [];
  const prefix = `${cell.id}-L`;
  for (const line of cell.code.querySelectorAll<HTMLElement>('.line[id]')) {
    if (line.id.startsWith(prefix)) lines[Number(line.id.slice(prefix.length)) - 1] = line.textContent ?? '';
  }
  return Array.from(lines, (line) => line ?? '').join('\n');
}

/** Folded pieces of the code that the reader has not opened, in line numbers; docstrings are not among them. */
export function foldedLines(cell: LiveCell): { from: number; to: number }[] {
  const closed = cell.code.querySelectorAll<HTMLDetailsElement>('.fold:not([open])');
  return [...closed].flatMap((details) => {
    const numbers = [...details.querySelectorAll('.line[id]')].map((line) => Number(line.id.split('-L').pop()));
    return numbers.length ? [{ from: Math.min(...numbers), to: Math.max(...numbers) }] : [];
  });
}
