/** Heat maps and curves tell the value under the pointer, or where the arrow keys have moved to.
 *
 * What they show is written in their SVG, in the ids of what is drawn (groundup.plots.readable), so that it
 * costs nothing until someone asks.
 */

/** A value and where it is drawn, in units of the SVG's viewBox. */
export interface Point {
  x: number;
  y: number;
  text: string;
}

/** One curve or heat map: its points row by row. `reach`: how far from a point the pointer may be, both ways. */
export interface Readable {
  points: Point[];
  columns: number;
  reach: [number, number];
}

export interface Values {
  view: { x: number; y: number; width: number; height: number };
  all: Readable[];
}

interface About {
  shape: [number, number];
  rows: string[];
  columns: string[];
  name: string;
  x: string;
  log: boolean;
  numbers: number[][];
}

export function valuesOf(svg: string): Values | null {
  const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
  const [x = 0, y = 0, width = 0, height = 0] = (root.getAttribute('viewBox') ?? '').split(/\s+/).map(Number);
  const all = [...root.querySelectorAll('[id^="heat {"], [id^="curve {"]')].flatMap((place) => {
    const corners = vertices(place.querySelector('path') ?? place);
    const about = parsed(place.id.slice(place.id.indexOf('{')));
    if (!about || corners.length < 2) return [];
    return place.id.startsWith('heat') ? heat(about, corners) : curve(about, corners);
  });
  return width > 0 && all.length > 0 ? { view: { x, y, width, height }, all } : null;
}

function parsed(text: string): About | null {
  try {
    return JSON.parse(text) as About;
  } catch {
    return null;
  }
}

function vertices(path: Element): [number, number][] {
  const numbers = (path.getAttribute('d') ?? '').match(/-?\d[\d.]*(?:e[-+]?\d+)?/g)?.map(Number) ?? [];
  return numbers.flatMap((x, index): [number, number][] => (index % 2 ? [] : [[x, numbers[index + 1] ?? 0]]));
}

function heat({ shape: [rows, columns], numbers, ...names }: About, corners: [number, number][]): Readable[] {
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [wide, high] = [(Math.max(...xs) - left) / columns, (Math.max(...ys) - top) / rows];
  const points = (numbers[0] ?? []).map((value, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const where = `${names.rows[row] ?? `row ${row}`}, ${names.columns[column] ?? `column ${column}`}`;
    return { x: left + (column + 0.5) * wide, y: top + (row + 0.5) * high, text: `${where}: ${value}` };
  });
  return [{ points, columns, reach: [wide / 2, high / 2] }];
}

/** Of a long curve some vertices are left out of the drawing, so places are found by what x is at its ends. */
function curve({ name, x: axis, log, numbers }: About, line: [number, number][]): Readable[] {
  const [xs = [], ys = []] = numbers;
  const along = xs.map((x) => (log ? Math.log10(x) : x));
  const [first = 0, last = 0] = [along[0], along.at(-1)];
  const [[from], [to]] = [line[0] ?? [0, 0], line.at(-1) ?? [0, 0]];
  const rises = along.every((x, index) => index === 0 || x > (along[index - 1] ?? x));
  if (!rises || !(last > first)) return [];
  const points = xs.map((x, index) => {
    const at = from + (((along[index] ?? 0) - first) / (last - first)) * (to - from);
    const near = line.reduce((one, other) => (Math.abs(other[0] - at) < Math.abs(one[0] - at) ? other : one));
    return { x: at, y: near[1], text: `${name}: ${ys[index]} at ${axis || 'x'} ${x}` };
  });
  return [{ points, columns: points.length, reach: [14, 14] }];
}

/** The point nearest to a place, if one is within reach. */
export function nearest({ all }: Values, x: number, y: number): [of: number, point: number] | null {
  let best: [number, number] | null = null;
  let least = Infinity;
  all.forEach(({ points, reach }, of) => {
    points.forEach((point, index) => {
      const [dx, dy] = [Math.abs(point.x - x), Math.abs(point.y - y)];
      if (dx <= reach[0] && dy <= reach[1] && dx + dy < least) {
        least = dx + dy;
        best = [of, index];
      }
    });
  });
  return best;
}

/** Where an arrow key leads: along a row, or to the row (the curve) above or below. */
export function moved({ all }: Values, [of, point]: [number, number], key: string): [number, number] {
  const { points, columns } = all[of] as Readable;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key] ?? 0;
  const next = point + step;
  const sameRow = Math.abs(step) === 1 ? Math.floor(next / columns) === Math.floor(point / columns) : true;
  if (next >= 0 && next < points.length && sameRow) return [of, next];
  const other = of + Math.sign(step);
  const there = all[other];
  if (!there) return [of, point];
  const x = points[point]?.x ?? 0;
  const closest = there.points.reduce(
    (best, one, index) => (Math.abs(one.x - x) < Math.abs((there.points[best]?.x ?? 0) - x) ? index : best),
    0,
  );
  return [other, Math.abs(step) === 1 ? (step > 0 ? 0 : there.points.length - 1) : closest];
}
