/** A time as people say it: "<0.01 s", "0.02 s", "3.4 s", "24 s", "3 min". */
export function seconds(value: number): string {
  if (value < 0.01) return '<0.01 s';
  if (value >= 100) return `${Math.round(value / 60)} min`;
  if (value >= 10) return `${Math.round(value)} s`;
  return `${value < 1 ? value.toFixed(2) : value.toFixed(1)} s`;
}

export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
