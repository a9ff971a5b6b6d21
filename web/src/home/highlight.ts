// Pointing at a lesson of the map, or reaching it by Tab, shows what it needs and where it leads.

type Links = Map<string, string[]>;

function reach(links: Links, start: string): Set<string> {
  const found = new Set<string>();
  const open = [start];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const next of links.get(folder) ?? []) {
      if (next === start || found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

export function wakeMap(page: Document): void {
  const graph = page.querySelector<SVGElement>('.map-graph');
  if (!graph) return;
  const nodes = [...graph.querySelectorAll<SVGElement>('.map-node')];
  const arrows = [...graph.querySelectorAll<SVGElement>('.map-arrows g')];
  const needs: Links = new Map();
  const leads: Links = new Map();
  for (const { dataset } of arrows) {
    const { from = '', to = '' } = dataset;
    needs.set(to, [...(needs.get(to) ?? []), from]);
    leads.set(from, [...(leads.get(from) ?? []), to]);
  }

  const mark = (element: SVGElement, state: string | null): void => {
    if (state) element.dataset.state = state;
    else delete element.dataset.state;
  };
  const show = (folder: string | null): void => {
    graph.classList.toggle('map-pointed', folder !== null);
    const before = folder === null ? new Set<string>() : reach(needs, folder);
    const after = folder === null ? new Set<string>() : reach(leads, folder);
    const stateOf = (name: string): string | null =>
      name === folder ? 'self' : before.has(name) ? 'before' : after.has(name) ? 'after' : null;
    for (const node of nodes) mark(node, stateOf(node.dataset.lesson ?? ''));
    for (const arrow of arrows) {
      const from = stateOf(arrow.dataset.from ?? '');
      const to = stateOf(arrow.dataset.to ?? '');
      if (from === 'before' && (to === 'before' || to === 'self')) mark(arrow, 'before');
      else if (to === 'after' && (from === 'after' || from === 'self')) mark(arrow, 'after');
      else mark(arrow, null);
    }
  };
  const lessonAt = (target: EventTarget | null): string | null =>
    (target instanceof Element && target.closest<SVGElement>('.map-node')?.dataset.lesson) || null;

  // on the section, because a browser lets the keyboard stop at an SVG that listens for focus itself
  const section = graph.closest('section') ?? page.body;
  graph.addEventListener('pointerover', (event) => show(lessonAt(event.target)));
  graph.addEventListener('pointerleave', () => show(lessonAt(page.activeElement)));
  section.addEventListener('focusin', (event) => show(lessonAt(event.target)));
  section.addEventListener('focusout', (event) => show(lessonAt(event.relatedTarget)));
}
