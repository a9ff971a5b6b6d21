/** Syntax colours: shiki finds the tokens, and a short class names each kind; the colours are in tokens.css. */
import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';
import bash from 'shiki/langs/bash.mjs';
import python from 'shiki/langs/python.mjs';
import { escapeHtml } from './html';

const THEME = 'groundup';
const CLASSES: Record<string, string> = {
  'var(--shiki-token-keyword)': 'k',
  'var(--shiki-token-string)': 's',
  'var(--shiki-token-string-expression)': 's',
  'var(--shiki-token-constant)': 'n',
  'var(--shiki-token-function)': 'f',
  'var(--shiki-token-comment)': 'c',
};

let highlighter: HighlighterCore | undefined;
const seen = new Map<string, string[]>();

export async function startHighlighter(): Promise<void> {
  highlighter ??= await createHighlighterCore({
    themes: [createCssVariablesTheme({ name: THEME, variablePrefix: '--shiki-' })],
    langs: [python, bash],
    engine: createJavaScriptRegexEngine(),
  });
}

/** The lines of a source as HTML. The same library function stands in many cells and is coloured once. */
export function highlight(source: string, language = 'python'): string[] {
  if (!highlighter) throw new Error('the highlighter has not been started');
  if (!highlighter.getLoadedLanguages().includes(language)) return source.split('\n').map(escapeHtml);
  const key = `${language}\n${source}`;
  let lines = seen.get(key);
  if (!lines) {
    lines = highlighter.codeToTokensBase(source, { lang: language, theme: THEME }).map((tokens) => {
      let line = '';
      let open = '';
      for (const token of tokens) {
        const name = /\S/.test(token.content) ? (CLASSES[token.color ?? ''] ?? '') : open;
        if (name !== open) line += `${open && '</span>'}${name && `<span class="${name}">`}`;
        open = name;
        line += escapeHtml(token.content);
      }
      return line + (open && '</span>');
    });
    seen.set(key, lines);
  }
  return lines;
}
