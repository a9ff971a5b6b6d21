const SUPERSCRIPTS: Record<string, string> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** Three significant digits as people write them: 0.948, 3,691, 5.72 × 10⁻⁶. */
export function number(value: number | null): string {
  if (value === null || Number.isNaN(value)) return 'no number';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return minus(value.toLocaleString('en'));
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(2).split('e');
    const digits = [...String(Number(exponent))].map((digit) => SUPERSCRIPTS[digit]).join('');
    return minus(`${Number(mantissa)}\u00a0×\u00a010${digits}`);
  }
  // 1.001 and 0.9998 must not be shown as 1
  let digits = 3;
  while (digits < 7 && Number.isInteger(Number(value.toPrecision(digits)))) digits += 1;
  return minus(Number(value.toPrecision(digits)).toLocaleString('en', { maximumFractionDigits: 9 }));
}

function minus(text: string): string {
  return text.replace('-', '−');
}
