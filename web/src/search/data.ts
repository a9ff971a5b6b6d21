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

/** The form in which a word is indexed and asked for; null for words that are everywhere. */
export function term(word: string): string | null {
  const folded = fold(word);
  return folded === '' || FREQUENT.has(folded) ? null : folded;
}

const PARTS = /(?<=[a-z0-9])(?=[A-Z])/;

/** The words of a query: MultiHead asks for Multi and Head. */
export function queryWords(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u).flatMap((word) => word.split(PARTS));
}

/** The words of a text: MultiHead is found as such and by its parts. */
export function wordsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u).flatMap((word) => (PARTS.test(word) ? [word, ...word.split(PARTS)] : [word]));
}
