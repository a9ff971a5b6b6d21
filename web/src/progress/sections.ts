// Which sections of a lesson have been read: a section is its heading and what follows, up to the next heading.

export interface Section {
  id: string;
  heading: HTMLElement;
  link: HTMLAnchorElement;
  words: string;
}

const READING_SECONDS = 4; // for each screen of a section
const MOST_SECONDS = 20;

/** The sections that the outline links to, in page order. */
export function sectionsOf(page: Document): Section[] {
  const links = page.querySelectorAll<HTMLAnchorElement>('nav[data-outline] a[href^="#"]');
  return [...links].flatMap((link) => {
    const id = decodeURIComponent(link.hash.slice(1));
    const heading = page.getElementById(id);
    return heading ? [{ id, heading, link, words: wordsOf(link) }] : [];
  });
}

function wordsOf(link: HTMLAnchorElement): string {
  const copy = link.cloneNode(true) as HTMLAnchorElement;
  for (const double of copy.querySelectorAll('.katex-html')) double.remove();
  return (copy.textContent ?? '').trim();
}

/** The sections that stand on the page: those of the other track do not, nor do those in what is folded. */
export function shown(sections: Section[]): Section[] {
  return sections.filter(({ heading }) => heading.checkVisibility());
}

/**
 * Watches the sections and tells of each that gets read, and of the one the reader is at.
 *
 * A section counts as read once it has stood on screen for some seconds in all, the more the longer it is, and its end
 * has been on screen: scrolling past it, or looking at its first lines only, is not reading.
 * A section has no element of its own, so a short look at the headings' places twice a second, while the page is
 * visible, does what an observer of elements cannot.
 */
export function watchSections(
  sections: Section[],
  end: Element,
  isRead: (id: string) => boolean,
  tell: { read: (id: string) => void; at: (id: string) => void },
): () => void {
  const seconds = new Map<string, number>();
  const ended = new Set<string>();
  const step = 0.5;
  let place = window.scrollY;
  const look = (): void => {
    if (document.hidden) return;
    const height = window.innerHeight;
    const still = Math.abs(window.scrollY - place) < height / 3;
    place = window.scrollY;
    const present = shown(sections);
    const tops = present.map(({ heading }) => heading.getBoundingClientRect().top);
    const last = end.getBoundingClientRect().bottom;
    let at = '';
    present.forEach(({ id }, index) => {
      const top = tops[index] ?? 0;
      const bottom = tops[index + 1] ?? last;
      if (top < height * 0.4) at = id;
      if (!still || isRead(id) || top > height * 0.75 || bottom < height * 0.15) return;
      seconds.set(id, (seconds.get(id) ?? 0) + step);
      if (bottom <= height + 8) ended.add(id);
      const wanted = Math.min(MOST_SECONDS, READING_SECONDS * Math.max(1, (bottom - top) / height));
      if (ended.has(id) && (seconds.get(id) ?? 0) >= wanted) tell.read(id);
    });
    tell.at(at);
  };
  const timer = setInterval(look, step * 1000);
  return () => clearInterval(timer);
}
