/** Shows the value under the pointer or the arrow keys over any figure of the page, drawn at build time or live. */
import { drawn } from './drawn';
import { moved, nearest, type Values, valuesOf } from './values';

const known = new Map<string, Promise<Values | null>>();

/** Fetched once, when a figure is first touched; no request leaves the site. What a cell has drawn is at hand. */
function valuesAt(url: string): Promise<Values | null> {
  const live = drawn.get(url);
  if (live) return Promise.resolve(valuesOf(live));
  let found = known.get(url);
  if (!found) {
    found = fetch(url)
      .then(async (response) => valuesOf(await response.text()))
      .catch(() => null);
    known.set(url, found);
  }
  return found;
}

export function mountReadings(page: Document): void {
  const tip = page.createElement('div');
  tip.className = 'reading';
  tip.hidden = true;
  const words = page.createElement('span');
  words.setAttribute('role', 'status');
  tip.append(words);
  const dot = page.createElement('div');
  dot.className = 'reading-dot';
  dot.hidden = true;
  page.body.append(tip, dot);
  let at: { image: HTMLImageElement; place: [number, number]; byKey: boolean } | null = null;

  const hide = () => {
    tip.hidden = dot.hidden = true;
    at = null;
  };

  const tell = (image: HTMLImageElement, values: Values, place: [number, number], byKey: boolean) => {
    const point = values.all[place[0]]?.points[place[1]];
    if (!point) return;
    const { left, top, width, height } = image.getBoundingClientRect();
    const x = left + ((point.x - values.view.x) / values.view.width) * width;
    const y = top + ((point.y - values.view.y) / values.view.height) * height;
    words.textContent = point.text;
    tip.hidden = dot.hidden = false;
    dot.style.translate = `${x}px ${y}px`;
    const right = Math.max(8, Math.min(x + 12, page.documentElement.clientWidth - tip.offsetWidth - 8));
    tip.style.translate = `${right}px ${y > tip.offsetHeight + 20 ? y - tip.offsetHeight - 12 : y + 12}px`;
    at = { image, place, byKey };
  };

  page.addEventListener('pointermove', async (event) => {
    const image = figureImage(event.target);
    if (!image) {
      if (at && !at.byKey) hide();
      return;
    }
    const values = await valuesAt(image.src);
    if (!values) return;
    const { left, top, width, height } = image.getBoundingClientRect();
    const x = values.view.x + ((event.clientX - left) / width) * values.view.width;
    const y = values.view.y + ((event.clientY - top) / height) * values.view.height;
    const place = nearest(values, x, y);
    if (place) tell(image, values, place, false);
    else hide();
  });

  page.addEventListener('keydown', async (event) => {
    const image = figureImage(event.target);
    if (event.key === 'Escape' || !image) return hide();
    if (!event.key.startsWith('Arrow') || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // an arrow on a figure reads it
    const values = await valuesAt(image.src);
    if (!values) return;
    tell(image, values, at?.image === image ? moved(values, at.place, event.key) : [0, 0], true);
  });

  page.addEventListener('focusout', hide);
  page.addEventListener('scroll', hide, { passive: true, capture: true });
}

function figureImage(target: EventTarget | null): HTMLImageElement | null {
  if (!(target instanceof Element)) return null;
  return target.closest('.output-figure .zoom-button')?.querySelector('img') ?? null;
}
