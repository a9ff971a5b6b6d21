/** Marks the first use of each term of the glossary in a lesson's text, and puts its sentence into the margin. */
import type { StateCore, Token } from 'markdown-it';
import type { Term } from '../data';
import { escapeHtml, slugify } from './html';

/** What the texts of one lesson share. */
export interface Terms {
  pattern: RegExp | null;
  byName: Map<string, Term>;
  /** In the order in which they are met. */
  met: Set<Term>;
  /** The address of a lesson, from this page. */
  address(folder: string): string;
  titles: Map<string, string>;
}

export const termId = ({ term }: Term): string => `term-${slugify(term)}`;

/** The terms that a lesson may mark: not those that it teaches itself. */
export function termsFor(
  glossary: Term[],
  folder: string,
  titles: Map<string, string>,
  address: (folder: string) => string,
): Terms {
  const own = glossary.filter(({ lesson }) => lesson !== folder);
  const byName = new Map(own.flatMap((term) => [term.term, ...term.also].map((name) => [name.toLowerCase(), term])));
  const names = [...byName.keys()].sort((a, b) => b.length - a.length);
  const one = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const pattern =
    names.length > 0 ? new RegExp(`(?<![\\p{L}\\p{N}_-])(${one})(?:s|es)?(?![\\p{L}\\p{N}_-])`, 'giu') : null;
  return { pattern, byName, met: new Set(), address, titles };
}

/** Marks a block's text; what it met first comes as notes to stand before the block. */
export function markTerms(state: StateCore, terms: Terms): void {
  const out: Token[] = [];
  let begin = 0; // where the outermost block begins among the tokens that are put out
  let apart = 0; // headings and tables
  let notes: Term[] = [];
  for (const token of state.tokens) {
    if (token.level === 0 && token.nesting >= 0) begin = out.length;
    if (/^(heading|table|blockquote)_/.test(token.type)) apart += token.nesting;
    if (token.type === 'inline' && token.children && apart === 0) {
      token.children = markInline(token.children, state, terms, notes);
    }
    out.push(token);
    if (notes.length > 0 && token.level === 0 && token.nesting <= 0) {
      const note = new state.Token('html_block', '', 0);
      note.content = noteHtml(notes, terms);
      out.splice(begin, 0, note);
      notes = [];
    }
  }
  state.tokens = out;
}

function markInline(tokens: Token[], state: StateCore, terms: Terms, notes: Term[]): Token[] {
  let inLink = 0;
  return tokens.flatMap((token) => {
    if (token.type === 'link_open') inLink += 1;
    if (token.type === 'link_close') inLink -= 1;
    if (token.type !== 'text' || inLink || !terms.pattern) return [token];
    const pieces: Token[] = [];
    const text = (content: string): Token => {
      const piece = new state.Token('text', '', 0);
      piece.content = content;
      return piece;
    };
    let end = 0;
    for (const match of token.content.matchAll(terms.pattern)) {
      const term = terms.byName.get((match[1] ?? '').toLowerCase());
      if (!term || terms.met.has(term) || !sameCase(match[1] ?? '', term)) continue;
      terms.met.add(term);
      notes.push(term);
      const open = new state.Token('link_open', 'a', 1);
      open.attrs = [
        ['class', 'term'],
        ['href', `#${termId(term)}`],
      ];
      const close = new state.Token('link_close', 'a', -1);
      pieces.push(text(token.content.slice(end, match.index)), open, text(match[0]), close);
      end = match.index + match[0].length;
    }
    return end === 0 ? [token] : [...pieces, text(token.content.slice(end))];
  });
}

/** Names such as Adam and GELU are written so; words may begin a sentence. */
function sameCase(written: string, { term, also }: Term): boolean {
  return [term, ...also].some((name) => written === name || written === name[0]?.toUpperCase() + name.slice(1));
}

function noteHtml(notes: Term[], terms: Terms): string {
  const inner = notes.map((term) => `<p data-note="${termId(term)}">${sentenceHtml(term, terms)}</p>`).join('');
  return `<div class="margin-note" role="note">${inner}</div>\n`;
}

/** The term, its sentence and the lesson that teaches it. */
export function sentenceHtml(term: Term, terms: Terms): string {
  const title = escapeHtml(terms.titles.get(term.lesson) ?? '');
  const link = `<a href="${escapeHtml(terms.address(term.lesson))}">${title}</a>`;
  return `<b>${escapeHtml(term.term)}</b> ${escapeHtml(term.text)} ${link}`;
}
