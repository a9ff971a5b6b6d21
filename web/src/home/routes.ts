// How the arrows run: along the gutters between rows and columns, so that none crosses a lesson.
// Arrows from one lesson share a lane, like a line on a metro map; arrows from different lessons never do.

import type { Grid, Place } from './layout';

export const NODE = { width: 204, height: 84 };
const GAP = { across: 34, down: 40, lane: 6 };
const CORNER = 6;
const OVER = 60; // where such an arrow leaves, beside those that come in

/** A stretch of a gutter that one lesson's arrows use; `lane` counts from the middle of the gutter. */
interface Stretch {
  from: string;
  start: number;
  end: number;
  lane: number;
}

interface Route {
  from: Place;
  to: Place;
  /** The column gutter it goes through (gutter c is left of column c), or null if one row gutter is enough. */
  through: number | null;
  /** To another lesson of the same row, past those between them: over their heads. */
  over: boolean;
}

export interface Drawing {
  width: number;
  height: number;
  nodes: { place: Place; x: number; y: number }[];
  arrows: { from: string; to: string; path: string; tip: string }[];
  /** `y` is where the band's lessons begin, `rule` the line above them. */
  bands: { part: string; y: number; rule: number | null; lessons: number }[];
}

/** Books a lane of a gutter for a lesson: its own if it has one there, else the first that is free on this stretch. */
function book(gutters: Map<number, Stretch[]>, gutter: number, from: string, one: number, other: number): void {
  const stretches = gutters.get(gutter) ?? [];
  gutters.set(gutter, stretches);
  const start = Math.min(one, other);
  const end = Math.max(one, other);
  const own = stretches.find((stretch) => stretch.from === from);
  if (own) {
    own.start = Math.min(own.start, start);
    own.end = Math.max(own.end, end);
  } else {
    stretches.push({ from, start, end, lane: -1 });
  }
}

/** Gives every stretch of each gutter the first lane where it meets no other; answers with the lanes used. */
function assign(gutters: Map<number, Stretch[]>): Map<number, number> {
  const used = new Map<number, number>();
  for (const [gutter, stretches] of gutters) {
    const lanes: Stretch[][] = [];
    for (const stretch of stretches.sort((a, b) => a.start - b.start || a.end - b.end)) {
      const free = lanes.findIndex((lane) =>
        lane.every((other) => other.end < stretch.start || stretch.end < other.start),
      );
      stretch.lane = free < 0 ? lanes.length : free;
      lanes[stretch.lane] = [...(lanes[stretch.lane] ?? []), stretch];
    }
    used.set(gutter, lanes.length);
  }
  return used;
}

function chooseGutter(from: Place, to: Place, taken: Set<string>): number | null {
  if (to.row === from.row + 1) return null;
  const clear = (column: number): boolean => {
    for (let row = from.row + 1; row < to.row; row++) if (taken.has(`${row},${column}`)) return false;
    return to.row > from.row;
  };
  if (clear(to.column) && to.column === from.column) return null;
  return to.column > from.column ? to.column : to.column + 1;
}

/** The picture of a grid with arrows between its places. */
export function draw({ columns, bands, places }: Grid, needs: Map<string, string[]>): Drawing {
  const byFolder = new Map(places.map((place) => [place.lesson.folder, place]));
  const taken = new Set(places.map(({ row, column }) => `${row},${column}`));
  const routes: Route[] = places.flatMap((to) =>
    (needs.get(to.lesson.folder) ?? []).flatMap((need) => {
      const from = byFolder.get(need);
      if (!from) return [];
      const over = from.row === to.row;
      return [{ from, to, over, through: over ? null : chooseGutter(from, to, taken) }];
    }),
  );

  const rowGutters = new Map<number, Stretch[]>(); // gutter r is above row r
  const columnGutters = new Map<number, Stretch[]>();
  const beside = ({ from, to }: Route): boolean =>
    from.row === to.row &&
    from.column < to.column &&
    !places.some(({ row, column }) => row === from.row && column > from.column && column < to.column);
  for (const route of routes) {
    if (beside(route)) continue;
    const { from, to, through, over } = route;
    const name = from.lesson.folder;
    if (through === null) {
      const gutter = over ? from.row : from.row + 1;
      book(rowGutters, gutter, name, from.column, to.column);
    } else {
      // half steps: a gutter lies between the columns (rows) that it separates
      book(rowGutters, from.row + 1, name, from.column, through - 0.5);
      book(columnGutters, through, name, from.row + 0.5, to.row - 0.5);
      book(rowGutters, to.row, name, through - 0.5, to.column);
    }
  }
  const rowLanes = assign(rowGutters);
  const columnLanes = assign(columnGutters);

  const rows = bands.reduce((sum, band) => sum + band.rows, 0);
  const startsBand = new Set(bands.map((band) => band.first));
  const columnWidth = (gutter: number): number => {
    const lanes = (columnLanes.get(gutter) ?? 0) * GAP.lane;
    return gutter === 0 || gutter === columns ? lanes && lanes + 14 : Math.max(GAP.across, lanes + 22);
  };
  const rowHeight = (gutter: number): number => {
    const lanes = (rowLanes.get(gutter) ?? 0) * GAP.lane;
    if (gutter === rows) return lanes && lanes + 20;
    if (gutter === 0) return lanes ? lanes + 16 : 6;
    return startsBand.has(gutter) ? Math.max(58, lanes + 50) : Math.max(GAP.down, lanes + 26);
  };
  const lefts: number[] = [];
  let width = columnWidth(0);
  for (let column = 0; column < columns; column++) {
    lefts.push(width);
    width += NODE.width + columnWidth(column + 1);
  }
  const tops: number[] = [];
  let height = rowHeight(0);
  for (let row = 0; row < rows; row++) {
    tops.push(height);
    height += NODE.height + rowHeight(row + 1);
  }
  const left = (place: Place): number => lefts[place.column] ?? 0;
  const top = (place: Place): number => tops[place.row] ?? 0;
  const middle = (place: Place): number => left(place) + NODE.width / 2;

  const laneOf = (gutters: Map<number, Stretch[]>, gutter: number, name: string): number => {
    const lane = gutters.get(gutter)?.find(({ from }) => from === name)?.lane ?? 0;
    return lane * GAP.lane;
  };
  // lanes of a row gutter are counted up from just above the row, below the band's name
  const laneY = (gutter: number, name: string): number => {
    const edge = gutter < rows ? (tops[gutter] ?? 0) : height;
    return edge - 14 - laneOf(rowGutters, gutter, name);
  };
  const laneX = (gutter: number, name: string): number => {
    const edge = gutter < columns ? (lefts[gutter] ?? 0) : width;
    const space = columnWidth(gutter);
    const lanes = ((columnLanes.get(gutter) ?? 1) - 1) * GAP.lane;
    return edge - space / 2 - lanes / 2 + laneOf(columnGutters, gutter, name);
  };

  // Arrows that come into one lesson stand side by side: those from the left on its left, from the right on its right.
  // The middle is kept for one straight from above, where the lesson above also sends its own arrows off.
  const entries = new Map<Route, number>();
  const side = ({ from, to, through }: Route): number =>
    through === null ? Math.sign(from.column - to.column) : through <= to.column ? -1 : 1;
  for (const to of places) {
    for (const which of [-1, 0, 1]) {
      routes
        .filter((route) => route.to === to && !beside(route) && side(route) === which)
        .sort((a, b) => Math.abs(a.from.column - to.column) - Math.abs(b.from.column - to.column))
        .forEach((route, index) => {
          entries.set(route, which * 12 * (index + 1));
        });
    }
  }

  const arrows = routes.map((route) => {
    const { from, to, through, over } = route;
    const name = from.lesson.folder;
    const end = middle(to) + (entries.get(route) ?? 0);
    const bottom = top(from) + NODE.height;
    let points: [number, number][];
    if (beside(route)) {
      const y = top(from) + NODE.height / 2;
      points = [
        [left(from) + NODE.width, y],
        [left(to), y],
      ];
    } else if (over) {
      const start = middle(from) + Math.sign(to.column - from.column) * OVER;
      const y = laneY(from.row, name);
      points = [
        [start, top(from)],
        [start, y],
        [end, y],
        [end, top(to)],
      ];
    } else if (through === null) {
      const y = laneY(from.row + 1, name);
      points = [
        [middle(from), bottom],
        [middle(from), y],
        [end, y],
        [end, top(to)],
      ];
    } else {
      const x = laneX(through, name);
      const leaving = laneY(from.row + 1, name);
      const arriving = laneY(to.row, name);
      points = [
        [middle(from), bottom],
        [middle(from), leaving],
        [x, leaving],
        [x, arriving],
        [end, arriving],
        [end, top(to)],
      ];
    }
    return { from: name, to: to.lesson.folder, path: rounded(points), tip: arrowHead(points) };
  });
  return {
    width,
    height,
    nodes: places.map((place) => ({ place, x: left(place), y: top(place) })),
    arrows,
    bands: bands.map(({ part, first, lessons }) => ({
      part,
      lessons,
      y: tops[first] ?? 0,
      rule: first === 0 ? null : (tops[first - 1] ?? 0) + NODE.height + 20.5,
    })),
  };
}

/** A line through the points, straight between them, with round corners. */
function rounded(points: [number, number][]): string {
  const kept = points.filter(([x, y], index) => {
    const before = points[index - 1];
    return !before || Math.abs(before[0] - x) + Math.abs(before[1] - y) > 0.5;
  });
  return kept
    .map(([x, y], index) => {
      const before = kept[index - 1];
      const after = kept[index + 1];
      if (!before) return `M${num(x)} ${num(y)}`;
      if (!after) return `L${num(x)} ${num(y)}`;
      const toward = ([px, py]: [number, number]): [number, number] => {
        const distance = Math.hypot(px - x, py - y);
        const radius = Math.min(CORNER, distance / 2);
        return [x + ((px - x) / distance) * radius, y + ((py - y) / distance) * radius];
      };
      const [ax, ay] = toward(before);
      const [bx, by] = toward(after);
      return `L${num(ax)} ${num(ay)}Q${num(x)} ${num(y)} ${num(bx)} ${num(by)}`;
    })
    .join('');
}

function arrowHead(points: [number, number][]): string {
  const [x, y] = points[points.length - 1] ?? [0, 0];
  const [px] = points[points.length - 2] ?? [0, 0];
  return px < x - 0.5
    ? `M${num(x - 6)} ${num(y - 3.5)}L${num(x)} ${num(y)}L${num(x - 6)} ${num(y + 3.5)}`
    : `M${num(x - 3.5)} ${num(y - 6)}L${num(x)} ${num(y)}L${num(x + 3.5)} ${num(y - 6)}`;
}

const num = (value: number): string => String(Math.round(value * 10) / 10);
