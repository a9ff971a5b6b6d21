// Small words for numbers, and text fitted into a box without a browser to measure it.

/** 75 → "1 h 15 min". */
export function duration(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours && `${hours} h`, (rest || !hours) && `${rest} min`].filter(Boolean).join(' ');
}

export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/** About how wide a letter of the serif face is, in units of the font's size; rather too wide than too narrow. */
function letterWidth(letter: string): number {
  if (letter === ' ') return 0.25;
  if (/[ilj.,:;'|!]/.test(letter)) return 0.31;
  if (/[tfr]/.test(letter)) return 0.42;
  if (/[mwMW—]/.test(letter)) return 0.9;
  if (/[A-Z&0-9]/.test(letter)) return 0.69;
  return 0.58;
}

/** Text broken at spaces into lines of at most `width` units of the font's size; what does not fit ends in "…". */
export function fitLines(text: string, width: number, most: number): string[] {
  const measure = (line: string): number => [...line].reduce((sum, letter) => sum + letterWidth(letter), 0);
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last !== undefined && measure(`${last} ${word}`) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  if (lines.length <= most) return lines;
  let end = lines[most - 1] ?? '';
  while (end && measure(`${end}…`) > width) end = end.slice(0, -1).trimEnd();
  return [...lines.slice(0, most - 1), `${end}…`];
}
