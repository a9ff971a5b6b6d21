// The index, made in the browser from search.json, and what a query finds in it.

import MiniSearch from 'minisearch';
import { slugify } from '../render/html';
import { COMPOUND, type Doc, fold, KIND, partsOf, type SearchData, term, wordsOf } from './data';
import { queryTree } from './query';

export interface Hit {
  key: string;
  /** Relative to the site's root. */
  url: string;
  title: string;
  kind: '' | 'NumPy' | 'PyTorch';
  lesson: string;
  /** How many more lessons define a function of this name: the same library code is printed where it is used. */
  others: number;
  snippet: string;
  /** The words to mark, in title and snippet. */
  words: string[];
}

export type Engine = (query: string) => Hit[];

export const MOST = 30;
const SNIPPET = 150;

interface Entry {
  id: number;
  title: string;
  name: string;
  lesson: string;
  paper: string;
  text: string;
  words: string;
}

export function makeEngine(data: SearchData): Engine {
  const index = new MiniSearch<Entry>({
    fields: ['title', 'name', 'lesson', 'paper', 'text', 'words'],
    tokenize: wordsOf,
    processTerm: term,
    searchOptions: {
      tokenize: (word) => [word], // the query comes as a tree of words
      boost: { name: 5, title: 4, paper: 3, lesson: 1.5 },
      prefix: true,
      fuzzy: (word) => (word.length > 3 ? 0.2 : false),
      weights: { prefix: 0.5, fuzzy: 0.2 },
      boostDocument: (id) => (data.docs[Number(id)]?.[0] === KIND.lesson ? 1.4 : 1),
    },
  });
  index.addAll(data.docs.map((doc, id) => entryOf(doc, id, data)));
  return (query) => {
    const [strict, loose] = [queryTree(query, 'AND'), queryTree(query, 'OR')];
    const exact = strict ? index.search(strict) : [];
    const results = exact.length > 0 || !loose ? exact : index.search(loose);
    const hits = new Map<string, Hit>();
    for (const { id, match } of results) {
      const doc = data.docs[Number(id)];
      if (!doc) continue;
      const key = isSymbol(doc) ? `${doc[0]} ${doc[3]}` : String(id);
      const known = hits.get(key);
      if (known) known.others += 1;
      else if (hits.size < MOST) hits.set(key, hitOf(doc, key, data, Object.keys(match)));
    }
    return [...hits.values()];
  };
}

const isSymbol = ([kind]: Doc): boolean => kind === KIND.numpy || kind === KIND.torch;

function entryOf(doc: Doc, id: number, { lessons }: SearchData): Entry {
  const [kind, lesson, , title, text = '', words = '', paper = ''] = doc;
  const symbol = isSymbol(doc);
  return {
    id,
    title: symbol ? '' : title,
    name: symbol ? title : '',
    lesson: kind === KIND.section || kind === KIND.exercise ? (lessons[lesson]?.[2] ?? '') : '',
    paper,
    text,
    words,
  };
}

function hitOf(doc: Doc, key: string, { lessons }: SearchData, words: string[]): Hit {
  const [kind, lesson, id, title, text = '', , paper = ''] = doc;
  const target = kind === KIND.section && id === '' ? slugify(title) : id;
  const [folder = '', number = '', lessonTitle = ''] = lessons[lesson] ?? [];
  const what = kind === KIND.exercise ? 'Exercise · ' : kind === KIND.question ? 'Asked in interviews · ' : '';
  const inPaper = paper !== '' && marked(paper, words).some(({ mark }) => mark);
  return {
    key,
    url:
      kind === KIND.exercise
        ? `practice/${id.replace('practise-', '')}/`
        : kind === KIND.question
          ? `practice/#${id}`
          : `lessons/${folder}/${target && `#${target}`}`,
    title,
    kind: kind === KIND.torch ? 'PyTorch' : kind === KIND.numpy ? 'NumPy' : '',
    lesson: kind === KIND.lesson ? `Lesson ${number}`.trim() : what + [number, lessonTitle].filter(Boolean).join(' '),
    others: 0,
    snippet: inPaper ? paper : around(text, words),
    words,
  };
}

/** A piece of the text around the first of the words. */
function around(text: string, words: string[]): string {
  let first = 0;
  for (const piece of marked(text, words)) {
    if (piece.mark) break;
    first += piece.text.length;
  }
  if (first >= text.length) first = 0;
  const start = first < SNIPPET / 2 ? 0 : text.indexOf(' ', first - SNIPPET / 3) + 1;
  const rest = text.slice(start);
  if (rest.length <= SNIPPET) return (start > 0 ? '… ' : '') + rest;
  return `${start > 0 ? '… ' : ''}${rest.slice(0, rest.lastIndexOf(' ', SNIPPET))} …`;
}

/** The text in pieces, those that hold one of the words marked: a compound as a whole, or the parts of it that do. */
export function marked(text: string, words: string[]): { text: string; mark: boolean }[] {
  const pieces: { text: string; mark: boolean }[] = [];
  let end = 0;
  const mark = (from: number, to: number): void => {
    if (from > end) pieces.push({ text: text.slice(end, from), mark: false });
    end = to;
    pieces.push({ text: text.slice(from, to), mark: true });
  };
  for (const { 0: compound, index } of text.matchAll(COMPOUND)) {
    const parts = partsOf(compound);
    if (parts.length > 1 && isOf(parts.join(''), words)) mark(index, index + compound.length);
    else {
      for (const part of compound.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
        if (isOf(part[0], words)) mark(index + part.index, index + part.index + part[0].length);
      }
    }
  }
  if (end < text.length) pieces.push({ text: text.slice(end), mark: false });
  return pieces;
}

function isOf(piece: string, words: string[]): boolean {
  const [folded, form] = [fold(piece), term(piece)];
  return words.some((word) => form === word || (word.length > 2 && folded.includes(word)));
}
