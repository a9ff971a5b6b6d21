/** Code that is folded away comes as plain text, to keep the page light; here it gets its lines and colours. */
const KEYWORDS =
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield';
const TOKENS = new RegExp(
  [
    '(?<c>#.*)',
    /(?<s>[rbfRBF]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))/.source,
    `(?<k>\\b(?:${KEYWORDS.replaceAll(' ', '|')})\\b|[-+*/%@=<>!&|^~]+)`,
    '(?<n>\\b(?:\\d[\\w.]*|True|False|None)\\b)',
    '(?<f>\\b[A-Za-z_]\\w*(?=\\())',
  ].join('|'),
  'g',
);

export function wakePlain(page: Document): void {
  for (const code of page.querySelectorAll<HTMLElement>('pre.plain')) {
    code.replaceChildren(...lines(page, code.textContent ?? ''));
    code.classList.remove('plain');
  }
}

function lines(page: Document, text: string): HTMLElement[] {
  const made: HTMLElement[] = [];
  let line: HTMLElement;
  const begin = () => {
    line = page.createElement('span');
    line.className = 'line';
    made.push(line);
  };
  const add = (piece: string, name = '') => {
    piece.split('\n').forEach((part, index) => {
      if (index > 0) begin();
      if (!part) return;
      const span = name ? page.createElement('span') : page.createTextNode(part);
      if (span instanceof HTMLElement) {
        span.className = name;
        span.textContent = part;
      }
      line.append(span);
    });
  };
  begin();
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    add(text.slice(at, match.index));
    add(match[0], Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0]);
    at = match.index + match[0].length;
  }
  add(text.slice(at));
  for (const one of made) {
    const words = one.textContent ?? '';
    if (!words.trim()) one.classList.add('blank');
    else if (words.length > 50) one.style.setProperty('--in', String(words.search(/\S/)));
  }
  return made;
}
