// Printed text as a terminal would leave it: progress bars overwrite their line, colours are dropped. Of many lines
// the first and the last stay.

export interface Terminal {
  write(text: string): void;
  /** What stands on the screen now. */
  text(): string;
  /** Lines that were left out, and after how many. */
  dropped(): number;
  kept(): number;
}

const MOST_LINES = 1000;
const FIRST_LINES = 200; // of those
const LONGEST_LINE = 10_000;
/** An escape sequence, a control character, or a stretch of plain text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are made of them
const TOKENS = /\x1b\[([0-9;?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^[\]]|[\n\r\b]|[^\x1b\n\r\b]+/g;
/** The beginning of a sequence whose rest is still on its way. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const UNFINISHED = /\x1b(?:\[[0-9;?]*[ -/]*|\][^\x07\x1b]{0,200})?$/;

export function createTerminal(most = MOST_LINES): Terminal {
  const lines = [''];
  let row = 0;
  let column = 0;
  let gone = 0;
  let rest = '';

  function put(text: string): void {
    const line = lines[row] ?? '';
    const before = line.slice(0, column).padEnd(column);
    lines[row] = (before + text + line.slice(column + text.length)).slice(0, LONGEST_LINE);
    column = Math.min(column + text.length, LONGEST_LINE);
  }

  function obey(numbers: string, command: string): void {
    const count = Number(numbers) || 1;
    if (command === 'A') row = Math.max(0, row - count);
    else if (command === 'B') row = Math.min(lines.length - 1, row + count);
    else if (command === 'K') lines[row] = numbers === '2' ? '' : (lines[row] ?? '').slice(0, column);
  }

  return {
    write(piece) {
      let text = rest + piece;
      rest = UNFINISHED.exec(text)?.[0] ?? '';
      if (rest) text = text.slice(0, -rest.length);
      for (const [token, numbers = '', command] of text.matchAll(TOKENS)) {
        if (command) obey(numbers, command);
        else if (token === '\n') {
          row += 1;
          column = 0;
          if (row === lines.length) lines.push('');
        } else if (token === '\r') column = 0;
        else if (token === '\b') column = Math.max(0, column - 1);
        else if (!token.startsWith('\x1b')) put(token);
        if (lines.length > 2 * most) drop();
      }
      drop();
    },
    text: () => lines.join('\n'),
    dropped: () => gone,
    kept: () => (gone ? Math.min(FIRST_LINES, most) : 0),
  };

  function drop(): void {
    const excess = lines.length - most;
    if (excess <= 0) return;
    const first = Math.min(FIRST_LINES, most);
    lines.splice(first, excess);
    row = row < first ? row : Math.max(first, row - excess);
    gone += excess;
  }
}
