// search.json, as the build writes it and the browser reads it.

export const KIND = { lesson: 0, section: 1, numpy: 2, torch: 3, exercise: 4, question: 5 } as const;

/**
 * Kind; the lesson, as its index; the id on its page ("" for a lesson, and for a section whose id follows from its
 * title; for an exercise it is "practise-" and the exercise's name; for an interview question the id of its card on the
 * practice page); the title, name or question; the beginning of the text; further words of the text, in no order; the
 * paper of a lesson.
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
  lessons: [folder: string, number: string, title: string][];
  docs: Doc[];
}

/**
 * As it is sent. Sixty lessons repeat their words: each stands once in `vocabulary`, and for the further words of a text
 * there are numbers, each the distance to the one before.
 */
export interface Packed {
  version: 2;
  lessons: SearchData['lessons'];
  vocabulary: string;
  /** As in Doc, but for the numbers; a text may be missing before them, and a paper after. */
  docs: (string | number | number[])[][];
}

export function pack({ lessons, docs }: SearchData): Packed {
  const split = (words: string) => words.split(' ').filter(Boolean);
  const vocabulary = [...new Set(docs.flatMap(([, , , , , words = '']) => split(words)))].sort();
  const places = new Map(vocabulary.map((word, place) => [word, place]));
  const packed = docs.map(([kind, lesson, id, title, text, words, paper]): Packed['docs'][number] => {
    const numbers = split(words ?? '').map((word) => places.get(word) ?? 0);
    const distances = numbers.sort((a, b) => a - b).map((place, index) => place - (numbers[index - 1] ?? 0));
    return [kind, lesson, id, title, ...(text === undefined ? [] : [text]), distances, ...(paper ? [paper] : [])];
  });
  return { version: 2, lessons, vocabulary: vocabulary.join(' '), docs: packed };
}

export function unpack({ lessons, vocabulary, docs }: Packed): SearchData {
  const known = vocabulary.split(' ');
  const whole = docs.map((doc): Doc => {
    const at = doc.findIndex(Array.isArray);
    let place = 0;
    const words = (doc[at] as number[]).map((distance) => {
      place += distance;
      return known[place];
    });
    const [kind, lesson, id, title, text] = doc.slice(0, at) as [Doc[0], number, string, string, string?];
    return [kind, lesson, id, title, text ?? '', words.join(' '), (doc[at + 1] as string) ?? ''];
  });
  return { lessons, docs: whole };
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
