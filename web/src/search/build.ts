// The search's data, made at build time: texts by section and the names that the code defines, as one compact JSON.
// The index itself is made in the browser from these texts when the search is first opened: that is smaller to send
// than a serialised index with the texts that the snippets need anyway.

import type { Code, Exercise, Page, Question, Site } from '../data';
import { slugify } from '../render/html';
import { type Doc, KIND, pack, type SearchData, term, wordsOf } from './data';

/** As much of a section's text is kept word by word for snippets; of the rest each word once, to be found. */
const KEPT = 140;

function shorten(text: string, names: string[] = []): [text: string, words: string] {
  const kept = text.length <= KEPT ? text : text.slice(0, text.lastIndexOf(' ', KEPT));
  const terms = (part: string) => new Set(wordsOf(part).flatMap((word) => term(word) ?? []));
  const known = terms(kept);
  const more = terms(`${text.slice(kept.length)} ${names.join(' ')}`);
  const rest = [...more].filter((word) => /\p{L}{3}/u.test(word) && !known.has(word));
  return [kept === text ? text : `${kept} …`, rest.sort().join(' ')];
}

/** What a cell calls of NumPy and PyTorch: einsum, zeros_like, cross_entropy. */
function calls(source: string): string[] {
  const called = /\b(?:np|torch|F|nn|optim|linalg|optimizer|tensor)\.((?:[a-zA-Z]\w*\.)*[a-zA-Z]\w*)/g;
  return [...new Set([...source.matchAll(called)].flatMap(([, name = '']) => name.split('.')))];
}

/** How snippets write what TeX names. */
const SIGNS = new Map(
  `alpha α, beta β, gamma γ, delta δ, epsilon ε, varepsilon ε, eta η, theta θ, lambda λ, mu μ, pi π, rho ρ, sigma σ,
   tau τ, phi φ, omega ω, Delta Δ, Theta Θ, Sigma Σ, Omega Ω, sum Σ, prod Π, sqrt √, partial ∂, infty ∞, cdot ·, times ×,
   to →, le ≤, ge ≥, neq ≠, approx ≈, in ∈, top ᵀ, dots …, ldots …, cdots …`
    .split(/,\s+/)
    .map((pair): [string, string] => [pair.split(' ')[0] ?? '', pair.split(' ')[1] ?? '']),
);

/** Markdown as plain text; short formulas become letters and signs, long ones "…". */
export function plainText(markdown: string): string {
  return plainLine(
    markdown
      .replace(/```[\s\S]*?```/g, ' ')
      .replace(/\$\$[\s\S]*?\$\$/g, ' … ')
      .replace(/^\s*\|[-:| ]+\|\s*$/gm, ' ')
      .replace(/^\s*(?:[-*>]|\d+\.)\s+/gm, ' '),
  );
}

function plainLine(markdown: string): string {
  return markdown
    .replace(/\$([^$]+)\$/g, (_, tex: string) => plainMath(tex))
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*+|`|\|/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ ([.,;:?!)])(?=\s|$)/g, '$1')
    .trim();
}

function plainMath(tex: string): string {
  const plain = tex
    .replace(/\\(?:operatorname|mathrm|text|mathbf|tfrac|left|right|big|Big)(?![a-zA-Z])\*?/g, '')
    .replace(/\\([a-zA-Z]+)/g, (_, name: string) => SIGNS.get(name) ?? name)
    .replace(/[\\{}]/g, '');
  return plain.length <= 24 ? plain : '…';
}

/** The text of a heading as the page's renderer sees it when it makes the heading's id: marks gone, formulas as typed. */
function headingText(markdown: string): string {
  return markdown.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[*`$]/g, '');
}

function sectionDocs(page: Page, index: number): Doc[] {
  const { lesson } = page;
  const paper = lesson.paper ? `${lesson.paper.authors}: ${lesson.paper.title}, ${lesson.paper.year}` : '';
  const docs: Doc[] = [];
  const ids = new Set<string>();
  let texts = [`${lesson.summary}.`];
  let names: string[] = [];
  let open = (text: string, words: string): Doc => [KIND.lesson, index, '', lesson.title, text, words, paper];
  const close = (): void => {
    docs.push(open(...shorten(plainText(texts.join('\n')), names)));
    texts = [];
    names = [];
  };
  for (const cell of page.cells) {
    if (cell.type !== 'text') {
      if (!cell.data) names.push(...calls(cell.source));
      continue;
    }
    let fenced = false;
    for (const line of [...cell.markdown.split('\n'), '']) {
      if (line.startsWith('```')) fenced = !fenced;
      const heading = fenced ? null : /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
      if (!heading?.[1] || !heading[2]) {
        texts.push(line);
        continue;
      }
      const base = slugify(headingText(heading[2]));
      let id = base;
      for (let count = 2; ids.has(id); count += 1) id = `${base}-${count}`;
      ids.add(id);
      if (heading[1].length === 1) continue; // the lesson's title: what follows introduces the lesson
      close();
      const title = plainLine(heading[2]);
      const known = slugify(title) === id ? '' : id;
      open = (text, words) =>
        words ? [KIND.section, index, known, title, text, words] : [KIND.section, index, known, title, text];
    }
  }
  close();
  return docs;
}

function symbolDocs(page: Page, index: number): Doc[] {
  const seen = new Set<string>();
  return page.cells
    .filter((cell): cell is Code => cell.type === 'code' && !cell.data)
    .flatMap((cell) => {
      return cell.source.split('\n').flatMap((line, number): Doc[] => {
        const name = /^(?:def|class) ([A-Za-z]\w*)/.exec(line)?.[1];
        const kind = cell.track === 'torch' ? KIND.torch : KIND.numpy;
        if (!name || seen.has(`${kind} ${name}`)) return [];
        seen.add(`${kind} ${name}`);
        return [[kind, index, `${cell.id}-L${number + 1}`, name]];
      });
    });
}

function exerciseDoc({ name, title, task }: Exercise, index: number): Doc {
  const [text, words] = shorten(plainText(task));
  return [KIND.exercise, index, `practise-${name}`, title, text, `${name.replaceAll('_', ' ')} ${words}`.trim()];
}

function questionDocs(questions: Question[], folder: string, lesson: number): Doc[] {
  return questions.map(({ question, answer }, index) => {
    const [text, words] = shorten(plainText(answer));
    return [KIND.question, lesson, `question-${folder}-${index + 1}`, plainText(question), text, words];
  });
}

/** Everything that the search looks through, as the text of search.json. `questions` are by the lesson's folder. */
export function buildSearchIndex(
  site: Site,
  pages: Page[],
  exercises: Exercise[],
  questions: Record<string, Question[]>,
): string {
  const docs = pages.flatMap((page) => {
    const { folder } = page.lesson;
    const index = site.lessons.findIndex((one) => one.folder === folder);
    return [
      ...sectionDocs(page, index),
      ...symbolDocs(page, index),
      ...exercises.filter((one) => one.folder === folder).map((one) => exerciseDoc(one, index)),
      ...questionDocs(questions[folder] ?? [], folder, index),
    ];
  });
  const lessons = site.lessons.map(({ folder, number, title }): SearchData['lessons'][number] => [
    folder,
    number,
    title,
  ]);
  return JSON.stringify(pack({ lessons, docs }));
}
