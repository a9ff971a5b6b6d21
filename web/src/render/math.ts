/** `$…$` and `$$…$$` for markdown-it, set by KaTeX at build time. Anything KaTeX only warns of stops the build. */
import katex from 'katex';
import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it';

const SHORT = 20; // letters of TeX; such a formula is not broken over two lines
const START = '<span class="katex-html" aria-hidden="true"><span class="katex-base">';
const END = '</span></span></span>';

/** The formula's own TeX, which KaTeX puts beside its MathML and nobody reads. */
const TEX = /<\/?semantics>|<annotation[\s\S]*?<\/annotation>/g;

function set(tex: string, displayMode: boolean, output: 'html' | 'htmlAndMathml'): string {
  return katex.renderToString(together(tex), { displayMode, throwOnError: true, strict: 'error', output });
}

const OPENS = ['(', '[', '\\{', '\\lfloor', '\\lceil', '\\langle'];
const CLOSES = [')', ']', '\\}', '\\rfloor', '\\rceil', '\\rangle'];
const GROUP = 24; // letters of TeX in brackets that stay together

/** The TeX with braces around what stands in short brackets, for KaTeX allows a line to break at any sign outside them. */
function together(tex: string): string {
  if (tex.includes('\\begin') || tex.includes('\\\\')) return tex;
  const tokens = tex.match(/\\[a-zA-Z]+|\\[\s\S]|[\s\S]/g) ?? [];
  const starts: number[] = [];
  let depth = 0;
  tokens.forEach((token, place) => {
    if (['{', '\\left'].includes(token)) depth += 1;
    else if (['}', '\\right'].includes(token)) depth -= 1;
    if (depth > 0) return;
    const sized = /^\\(?:[bB]ig|right$)/.test(tokens[place - 1] ?? ''); // as in \big( and \right)
    if (OPENS.includes(token) && !sized) starts.push(place);
    if (!CLOSES.includes(token) || sized) return;
    const start = starts.pop();
    if (start === undefined) return;
    if (tokens.slice(start, place).join('').length > GROUP || tokens.slice(start, place).includes('&')) return;
    tokens[start] += '{'; // inside: a function's name and its bracket stay as close as they are
    tokens[place] = `}${token}`;
  });
  return tokens.join('');
}

/** A formula as HTML; what stands before and after goes into its first and last unbreakable piece. */
export function setMath(tex: string, displayMode: boolean, before = '', after = ''): string {
  let html = set(tex, displayMode, 'htmlAndMathml').replace(TEX, '');
  if (before && html.includes(START))
    html = html.replace(START, () => `${START}<span class="touching">${before}</span>`);
  else html = before + html;
  if (after && html.endsWith(END)) html = `${html.slice(0, -END.length)}<span class="touching">${after}</span>${END}`;
  else html += after;
  return displayMode || tex.length > SHORT ? html : `<span class="short">${html}</span>`;
}

/** A display formula once more, in a narrow column: it breaks at every gap. Whoever listens is led to the formula itself. */
export function setAgain(tex: string): string {
  return apart(tex, ['\\qquad', '\\quad'])
    .map((piece) => set(piece, true, 'html'))
    .join('');
}

/** A display formula. What `\\qquad` sets apart comes as pieces of its own, which stand on one line or below each other. */
export function setDisplay(tex: string): string {
  return apart(tex, ['\\qquad'])
    .map((piece) => setMath(piece, true))
    .join('');
}

/** The pieces between those gaps that are in no group, fence or environment. */
function apart(tex: string, gaps: string[]): string[] {
  const pieces = [''];
  let depth = 0;
  for (const token of tex.match(/\\[a-zA-Z]+|\\[\s\S]|[\s\S]/g) ?? []) {
    if (['{', '\\left', '\\begin'].includes(token)) depth += 1;
    else if (['}', '\\right', '\\end'].includes(token)) depth -= 1;
    if (gaps.includes(token) && depth === 0) pieces.push('');
    else pieces[pieces.length - 1] += token;
  }
  return pieces.map((piece) => piece.trim()).filter(Boolean);
}

const DOLLAR = 0x24;

function inlineMath(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state;
  if (src.charCodeAt(pos) !== DOLLAR || /\s/.test(src[pos + 1] ?? ' ')) return false;
  let end = pos + 1;
  while (true) {
    end = src.indexOf('$', end);
    if (end < 0) return false;
    const escaped = src[end - 1] === '\\' && src[end - 2] !== '\\';
    if (!escaped && !/\s/.test(src[end - 1] ?? ' ') && !/\d/.test(src[end + 1] ?? '')) break;
    end += 1;
  }
  if (end === pos + 1) throw new Error(`display mathematics inside a paragraph: ${src.slice(pos, pos + 60)}`);
  if (!silent) state.push('math_inline', 'math', 0).content = src.slice(pos + 1, end);
  state.pos = end + 1;
  return true;
}

function blockMath(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const lineText = (line: number) =>
    state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line] ?? 0);
  const first = lineText(startLine);
  if (!first.startsWith('$$')) return false;
  const lines = [first.slice(2)];
  let line = startLine;
  while (!lines[lines.length - 1]?.trimEnd().endsWith('$$')) {
    line += 1;
    if (line >= endLine) return false;
    lines.push(lineText(line));
  }
  if (silent) return true;
  const token = state.push('math_block', 'math', 0);
  token.content = lines.join('\n').trimEnd().slice(0, -2);
  token.map = [startLine, line + 1];
  state.line = line + 1;
  return true;
}

export function addMath(md: MarkdownIt): void {
  md.inline.ruler.before('escape', 'math_inline', inlineMath);
  md.block.ruler.before('fence', 'math_block', blockMath, { alt: ['paragraph', 'reference', 'blockquote', 'list'] });
}
