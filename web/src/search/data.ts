// search.json, as the build writes it and the browser reads it.

export const KIND = { lesson: 0, section: 1, numpy: 2, torch: 3, exercise: 4 } as const;

/**
 * Kind; the lesson, as its index; the id on its page ("" for a lesson, and for a section whose id follows from its
 * title; for an exercise it is "practise-" and the exercise's name); the title or name; the beginning of the text; further words of the text, in no order; the paper of a lesson.
 */
export type Doc = [
  kind: (typeof KIND)[keyof typeof KIND],
  lesson: number,
  id: string,
  title: string,
  text?: string,
  words?: string,
  paper?: string,
];

export interface SearchData {
  version: 1;
  lessons: [folder: string, number: string, title: string][];
  docs: Doc[];
}

const FREQUENT = new Set(
  'a all an and are as at be but by can do does for from has have how if in into is it its no not of on one or same so than that the their them then there these they this to two was we what when where which while with you'.split(
    ' ',
  ),
);

export const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

const PLURALS: Record<string, string> = { matrices: 'matrix', vertices: 'vertex', indices: 'index', axes: 'axis' };

/** One form for singular and plural; it need not be a word. */
export function singular(word: string): string {
  const known = PLURALS[word];
  if (known || word.length < 4) return known ?? word;
  if (/..ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ias|ss|x)es$/.test(word)) return word.slice(0, -2); // biases, losses
  const one = /[^suia]s$/.test(word) ? word.slice(0, -1) : word; // not of class, bias, axis
  return one.replace(/(ch|sh)e$/, '$1'); // caches and batches, cache and batch
}

/** The form in which a word is indexed and asked for; null for words that are everywhere. */
export function term(word: string): string | null {
  const folded = fold(word);
  return folded === '' || FREQUENT.has(folded) ? null : singular(folded);
}

const PARTS = /(?<=[a-z0-9])(?=[A-Z])/;
/** Words with a hyphen and names with underscores are found by their parts and written as one. */
export const COMPOUND = /[\p{L}\p{N}\p{M}]+(?:[-_‐][\p{L}\p{N}\p{M}]+)*/gu;
const LONG = 3; // parts; longer ones are not written as one

/** The parts of a compound: MultiHead, multi_head and multi-head are multi and head. */
export function partsOf(compound: string): string[] {
  return compound.split(/[-_‐]/).flatMap((word) => word.split(PARTS));
}

/** The words of a text: multi-head and MultiHead are found as multihead too. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(COMPOUND)].flatMap(([compound]) => {
    const parts = partsOf(compound);
    return parts.length > 1 && parts.length <= LONG ? [parts.join(''), ...parts] : parts;
  });
}
