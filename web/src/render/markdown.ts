/** The lessons' text: Markdown without HTML, mathematics by KaTeX, and links between equations, code and lessons. */
import MarkdownItConstructor, { type Env, type MarkdownIt, type StateCore, type Token } from 'markdown-it';
import { highlight } from './highlight';
import { escapeHtml, slugify } from './html';
import { addMath, setDisplay, setMath } from './math';
import { markTerms, type Terms } from './terms';

/** Lines of one function that implement an equation; neighbours make a run. */
export interface CodePlace {
  name: string;
  runs: { anchor: string; first: number; last: number }[];
}

export interface Heading {
  id: string;
  level: number;
  html: string;
  track: string;
}

/** What a word of the text leads to. */
interface Target {
  href: string;
  title: string;
}

/** What the texts of one lesson share. */
export interface TextContext {
  equations: Set<string>;
  /** TeX of the numbered equations, without their numbers. */
  formulas?: Map<string, string>;
  places: Map<string, CodePlace[]>;
  /** Other lessons by slug. */
  lessons: Map<string, Target>;
  /** The lesson's exercises by name. */
  exercises?: Map<string, Target>;
  /** SVG by name. */
  diagrams?: Record<string, string>;
  headings: Heading[];
  ids: Set<string>;
  track: string;
  /** Terms to mark, in a lesson. */
  terms?: Terms;
}

/** markdown-it hands an object of ours through all its rules. */
function contextOf(env: Env | undefined): TextContext {
  return (env as { context: TextContext }).context;
}

const TAG = /\\tag\{([^}]+)\}/;

export function equationsIn(markdown: string): string[] {
  return [...markdown.matchAll(new RegExp(TAG, 'g'))].map((match) => match[1] ?? '');
}

/** The numbered equations of a text: number and TeX. */
export function formulasIn(markdown: string): [string, string][] {
  return [...markdown.matchAll(/\$\$([\s\S]*?)\$\$/g)].flatMap(([, tex = '']): [string, string][] => {
    const tag = TAG.exec(tex)?.[1];
    return tag ? [[tag, tex.replace(TAG, '')]] : [];
  });
}

export function equationId(tag: string): string {
  return `eq-${slugify(tag)}`;
}

const md: MarkdownIt = new MarkdownItConstructor({ html: false, typographer: true });
md.disable('replacements'); // (c) is an equation or a list here, never ©
addMath(md);

md.core.ruler.push('references', (state) => {
  for (const [index, block] of state.tokens.entries()) {
    if (block.type !== 'inline' || !block.children) continue;
    if (block.children.length === 1 && isDiagram(block.children[0])) {
      for (const around of [state.tokens[index - 1], state.tokens[index + 1]]) if (around) around.hidden = true;
    }
    if (block.content.startsWith('**Your turn**')) state.tokens[index - 1]?.attrJoin('class', 'your-turn');
    keepPunctuation(block.children);
    block.children = linkReferences(block.children, state);
  }
  const { terms } = contextOf(state.env);
  if (terms) markTerms(state, terms);
});

/** `![words](diagram:name)`: a figure of its own when it is a paragraph of its own. */
function isDiagram(token?: Token): boolean {
  return token?.type === 'image' && String(token.attrGet('src')).startsWith('diagram:');
}

/** What belongs to a formula before it: "k-th", "B's", "n-gram". */
const ENDING = /^(?:[-’']?\p{L}{1,6}(?!\p{L}))?[)\]”’.,;:!?]*/u;

/** A browser may break the line on both sides of a formula: endings, brackets and stops that touch it go inside. */
function keepPunctuation(tokens: Token[]): void {
  tokens.forEach((token, index) => {
    if (token.type !== 'math_inline') return;
    const previous = tokens[index - 1];
    const next = tokens[index + 1];
    const before = previous?.type === 'text' ? (/[([“‘]+$/.exec(previous.content)?.[0] ?? '') : '';
    const after = next?.type === 'text' ? (ENDING.exec(next.content)?.[0] ?? '') : '';
    if (previous && before) previous.content = previous.content.slice(0, -before.length);
    if (next && after) next.content = next.content.slice(after.length);
    token.meta = { before, after };
  });
}

/** "(4)", "lesson `self_attention`" (by its title) and "exercise `softmax`" become links, where there is such a thing. */
function linkReferences(tokens: Token[], state: StateCore): Token[] {
  const context = contextOf(state.env);
  const linked: Token[] = [];
  let inLink = 0;
  const words = (content: string) => {
    const token = new state.Token('text', '', 0);
    token.content = content;
    return token;
  };
  const text = (content: string) => {
    if (content) linked.push(words(content));
  };
  const link = (href: string, name: string, inner: Token, label = '', title = '') => {
    const open = new state.Token('link_open', 'a', 1);
    open.attrs = [
      ['class', name],
      ['href', href],
    ];
    if (label) open.attrs.push(['aria-label', label]);
    if (title) open.attrs.push(['title', title]);
    linked.push(open, inner, new state.Token('link_close', 'a', -1));
  };
  tokens.forEach((token, index) => {
    if (token.type === 'link_open') inLink += 1;
    if (token.type === 'link_close') inLink -= 1;
    const last = tokens[index - 1];
    const before = last?.type === 'softbreak' ? `${tokens[index - 2]?.content ?? ''} ` : (last?.content ?? '');
    const kind = /\b(lesson|exercise)s? $/.exec(before)?.[1];
    const target = kind && (kind === 'lesson' ? context.lessons : context.exercises)?.get(token.content);
    if (token.type === 'code_inline' && !inLink && target) {
      link(target.href, `${kind}-link`, kind === 'lesson' ? words(target.title) : token, '', target.title);
    } else if (token.type === 'text' && !inLink) {
      let rest = token.content;
      for (let match = nextReference(rest, context); match; match = nextReference(rest, context)) {
        text(rest.slice(0, match.index));
        link(`#${equationId(match[1] ?? '')}`, 'equation-link', words(match[0]), `Equation ${match[0]}`);
        rest = rest.slice(match.index + match[0].length);
      }
      text(rest);
    } else {
      linked.push(token);
    }
  });
  return linked;
}

function nextReference(text: string, context: TextContext): RegExpExecArray | null {
  const pattern = /(?<![\w)\]])\((\d+)\)/g;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (context.equations.has(match[1] ?? '')) return match;
  }
  return null;
}

const rules = md.renderer.rules;

rules.math_inline = (tokens, index) => {
  const { before = '', after = '' } = (tokens[index]?.meta ?? {}) as { before?: string; after?: string };
  return setMath(tokens[index]?.content ?? '', false, escapeHtml(before), escapeHtml(after));
};

rules.math_block = (tokens, index, _options, env) => {
  const context = contextOf(env);
  const tex = tokens[index]?.content ?? '';
  const tag = TAG.exec(tex)?.[1];
  const formula = setDisplay(tex.replace(TAG, ''));
  const body = `<div class="equation-body" tabindex="0" role="region" aria-label="${tag ? `Equation ${escapeHtml(tag)}` : 'Formula'}">${formula}</div>`;
  if (!tag) return `<div class="equation">${body}</div>\n`;
  const id = equationId(tag);
  const first = !context.ids.has(id);
  context.ids.add(id);
  const number = `<a class="equation-number" href="#${id}" aria-label="Link to equation ${escapeHtml(tag)}">(${escapeHtml(tag)})</a>`;
  const equation = `<div class="equation numbered"${first ? ` id="${id}"` : ''}>${body}${number}</div>`;
  const code = (context.places.get(tag) ?? []).map(placeHtml).join('; ');
  if (!code) return `${equation}\n`;
  // The links come first: where there is room they float into the margin, and else stand below.
  const links = `<div class="equation-code"><span>(${escapeHtml(tag)}) is </span>computed in ${code}</div>`;
  return `<div class="computed">${links}${equation}</div>\n`;
};

/** "softmax, lines 17, 18–20", each run a link. */
function placeHtml({ name, runs }: CodePlace): string {
  const many = runs.length > 1 || runs.some(({ first, last }) => first !== last);
  const links = runs.map(({ anchor, first, last }) => {
    const [lines, words] = first === last ? [first, 'line'] : [`${first}–${last}`, 'lines'];
    return `<a href="#${anchor}" aria-label="${words} ${lines} of ${escapeHtml(name)}">${lines}</a>`;
  });
  return `<code>${escapeHtml(name)}</code>, ${many ? 'lines' : 'line'} ${links.join(', ')}`;
}

rules.heading_open = (tokens, index, _options, env) => {
  const context = contextOf(env);
  const level = Number(tokens[index]?.tag.slice(1));
  const inline = tokens[index + 1];
  const plain = (inline?.children ?? []).map((child) => child.content).join('');
  const base = slugify(plain);
  let id = base;
  for (let count = 2; context.ids.has(id); count += 1) id = `${base}-${count}`;
  context.ids.add(id);
  const unlinked = (inline?.children ?? []).filter((child) => !child.type.startsWith('link_'));
  context.headings.push({ id, level, html: md.renderer.renderInline(unlinked, md.options, env), track: context.track });
  return `<h${level} id="${id}">`;
};

rules.heading_close = (tokens, index, _options, env) => {
  const id = contextOf(env).headings.at(-1)?.id ?? '';
  const tag = tokens[index]?.tag ?? 'h2';
  return ` <a class="anchor" href="#${id}" aria-label="Link to this section"></a></${tag}>\n`;
};

/** The diagram itself, which takes the page's colours, where the text places it; on a narrow screen it scrolls. */
const image = rules.image;
rules.image = (tokens, index, options, env, self) => {
  const token = tokens[index];
  if (!token || !isDiagram(token)) return image?.(tokens, index, options, env, self) ?? '';
  const name = String(token.attrGet('src')).slice('diagram:'.length);
  const svg = contextOf(env).diagrams?.[name];
  if (!svg) throw new Error(`there is no diagram "${name}"`);
  const alt = escapeHtml(token.content.replace(/\s+/g, ' '));
  const labelled = svg.replace('<svg ', `<svg role="img" aria-label="${alt}" `);
  return `<figure class="diagram" tabindex="0" role="region" aria-label="Diagram: ${name}">${labelled}</figure>\n`;
};

rules.table_open = () => '<div class="table" tabindex="0" role="region" aria-label="Table"><table>\n';
rules.table_close = () => '</table></div>\n';

// A corner without words is no header: screen readers would announce it for every row.
rules.th_open = (tokens, index, _options, _env, self) =>
  `<${headTag(tokens[index + 1])}${self.renderAttrs(tokens[index] as Token)}>`;
rules.th_close = (tokens, index) => `</${headTag(tokens[index - 1])}>\n`;

function headTag(inline: Token | undefined): string {
  return inline?.content.trim() ? 'th' : 'td';
}

rules.fence = (tokens, index) => {
  const token = tokens[index];
  const lines = highlight((token?.content ?? '').replace(/\n$/, ''), token?.info.trim() || 'text');
  return `<pre class="shiki listing" tabindex="0"><code>${lines.join('\n')}</code></pre>\n`;
};
rules.code_block = rules.fence;

export function renderText(markdown: string, context: TextContext): string {
  return md.render(markdown, { context });
}

/** One line of Markdown, without a paragraph around it; no terms are marked in it. */
export function renderWords(markdown: string, context: TextContext): string {
  return md.renderInline(markdown, { context: { ...context, terms: undefined } });
}
