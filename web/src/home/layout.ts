// Where each lesson stands on the map: parts are bands from top to bottom, a band is a grid of a few columns.

import type { Summary } from '../data';

export interface Place {
  lesson: Summary;
  row: number;
  column: number;
}

export interface Band {
  part: string;
  first: number;
  rows: number;
  lessons: number;
}

export interface Grid {
  columns: number;
  bands: Band[];
  places: Place[];
}

/** `needs` without what another need already includes: an arrow says "directly before", not "some time before". */
export function directNeeds(lessons: Summary[]): Map<string, string[]> {
  const byFolder = new Map(lessons.map((lesson) => [lesson.folder, lesson]));
  const all = new Map<string, Set<string>>();
  const above = (folder: string): Set<string> => {
    const known = all.get(folder);
    if (known) return known;
    const found = new Set<string>();
    all.set(folder, found); // set first, so that a circle in the records cannot loop here
    for (const need of byFolder.get(folder)?.needs ?? []) {
      if (!byFolder.has(need)) continue;
      found.add(need);
      for (const further of above(need)) found.add(further);
    }
    return found;
  };
  return new Map(
    lessons.map(({ folder, needs }) => [
      folder,
      needs.filter((need) => byFolder.has(need) && !needs.some((other) => other !== need && above(other).has(need))),
    ]),
  );
}

/** How bad an arrow from one place to another looks: long, backward, or with lessons in its way. */
function badness(from: Place, to: Place, taken: Set<string>): number {
  const down = to.row - from.row;
  const across = to.column - from.column;
  let cost = Math.abs(across) + 0.6 * Math.abs(down);
  if (down < 0 || (down === 0 && across < 0)) cost += 12;
  if (down === 0) {
    for (let column = from.column + 1; column < to.column; column++) {
      if (taken.has(`${from.row},${column}`)) cost += 2;
    }
  }
  for (let row = from.row + 1; row < to.row; row++) {
    if (taken.has(`${row},${to.column}`)) cost += 0.5;
  }
  return cost;
}

/** Lays the lessons out: first in the order of the contents, then with pairs exchanged while that shortens the arrows. */
export function layOut(parts: string[], lessons: Summary[], needs: Map<string, string[]>): Grid {
  const groups = parts.map((part) => lessons.filter((lesson) => lesson.part === part));
  const columns = Math.min(4, Math.max(3, ...groups.map((group) => group.length)));
  const bands: Band[] = [];
  const places = new Map<string, Place>();
  let first = 0;
  parts.forEach((part, index) => {
    const group = groups[index] ?? [];
    if (group.length === 0) return;
    const rows = Math.ceil(group.length / columns);
    bands.push({ part, first, rows, lessons: group.length });
    group.forEach((lesson, order) => {
      const row = first + Math.floor(order / columns);
      places.set(lesson.folder, { lesson, row, column: order % columns });
    });
    improve(group, { first, rows, columns }, places, needs);
    first += rows;
  });
  const ordered = [...places.values()].sort((a, b) => a.row - b.row || a.column - b.column);
  return { columns, bands, places: ordered };
}

function improve(
  group: Summary[],
  band: { first: number; rows: number; columns: number },
  places: Map<string, Place>,
  needs: Map<string, string[]>,
): void {
  const own = group.flatMap(({ folder }) => places.get(folder) ?? []);
  const cost = (): number => {
    const taken = new Set(own.map(({ row, column }) => `${row},${column}`));
    let sum = 0;
    own.forEach((place, order) => {
      for (const need of needs.get(place.lesson.folder) ?? []) {
        const from = places.get(need);
        if (from) sum += badness(from, place, taken);
      }
      // the order of the contents is a good order to read in: leave it only for a better picture
      const spot = (place.row - band.first) * band.columns + place.column;
      sum += 0.9 * Math.abs(spot - order) + 0.02 * place.column;
    });
    return sum;
  };
  const spots = Array.from({ length: band.rows * band.columns }, (_, spot) => ({
    row: band.first + Math.floor(spot / band.columns),
    column: spot % band.columns,
  }));
  let best = cost();
  for (let better = true; better; ) {
    better = false;
    for (const place of own) {
      for (const spot of spots) {
        const { row, column } = place;
        const other = own.find((candidate) => candidate.row === spot.row && candidate.column === spot.column);
        if (other === place) continue;
        Object.assign(place, spot);
        if (other) Object.assign(other, { row, column });
        const now = cost();
        if (now < best - 1e-9) {
          best = now;
          better = true;
          continue;
        }
        Object.assign(place, { row, column });
        if (other) Object.assign(other, spot);
      }
    }
  }
}
