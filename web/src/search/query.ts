// What a query asks for: its words, compounds with and without their hyphen, and what else the field calls it.

import type { QueryCombination } from 'minisearch';
import { COMPOUND, partsOf, term } from './data';
import synonyms from './synonyms.json';

const LESS = 0.4; // how much a hit by another name counts

type Query = string | QueryCombination;

/** A word as typed, with its forms. */
interface Word {
  terms: string[];
  query: Query;
}

/** Every group's names as terms, and behind each the other names of its groups. */
const others = new Map<string, Map<string, string[]>>();
for (const group of synonyms) {
  const names = group.map(termsOf).filter((terms) => terms.length > 0);
  for (const terms of names) {
    const key = terms.join(' ');
    const known = others.get(key) ?? new Map<string, string[]>();
    others.set(key, known);
    for (const other of names) if (other.join(' ') !== key) known.set(other.join(' '), other);
  }
}
const LONGEST = Math.max(...[...others.keys()].map((key) => key.split(' ').length));

function termsOf(text: string): string[] {
  return wordsIn(text).flatMap(({ terms }) => terms);
}

function all(terms: string[]): Query {
  return terms.length === 1 ? (terms[0] as string) : { combineWith: 'AND', queries: terms };
}

function wordsIn(text: string): Word[] {
  return [...text.matchAll(COMPOUND)].flatMap(([compound]): Word[] => {
    const terms = partsOf(compound).flatMap((word) => term(word) ?? []);
    if (terms.length === 0) return [];
    if (terms.length === 1) return [{ terms, query: terms[0] as string }];
    return [{ terms, query: { combineWith: 'OR', queries: [all(terms), terms.join('')] } }];
  });
}

/** The tree of a query for MiniSearch; null if it has no word that one can look for. */
export function queryTree(text: string, combineWith: 'AND' | 'OR'): Query | null {
  const words = wordsIn(text);
  const queries: Query[] = [];
  for (let index = 0; index < words.length; ) {
    const [length, names] = namesAt(words, index);
    const asked = words.slice(index, index + length).map(({ query }) => query);
    const query: Query = asked.length === 1 ? (asked[0] as Query) : { combineWith: 'AND', queries: asked };
    if (names.length === 0) queries.push(query);
    else {
      const also = { combineWith: 'OR' as const, boostTerm: () => LESS, fuzzy: false, prefix: false };
      queries.push({ combineWith: 'OR', queries: [query, { ...also, queries: names.map(all) }] });
    }
    index += length;
  }
  return queries.length > 0 ? { combineWith, queries } : null;
}

/** The longest name of the field that begins at a word: how many words it takes, and the other names. */
function namesAt(words: Word[], index: number): [length: number, names: string[][]] {
  for (let length = Math.min(LONGEST, words.length - index); length > 0; length -= 1) {
    const terms = words.slice(index, index + length).flatMap((word) => word.terms);
    const joined = terms.join(''); // "layernorm" and "layer norm" are one name
    const found = others.get(terms.join(' ')) ?? (length === 1 ? others.get(joined) : undefined);
    if (found) return [length, [...found.values()]];
  }
  return [1, []];
}
