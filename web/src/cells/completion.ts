// What an editor knows of names: Tab completes one, Ctrl+I says what one is. The lesson's own texts are always there;
// what stands behind a dot only a Python that has run the cells knows.
import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  insertCompletionText,
  startCompletion,
} from '@codemirror/autocomplete';
import { pythonLanguage } from '@codemirror/lang-python';
import { syntaxTree } from '@codemirror/language';
import { type EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import { type EditorView, keymap, showTooltip, type Tooltip, tooltips } from '@codemirror/view';
import type { Description, Found, Question } from '../runtime/types';

export interface Knowledge {
  /** The texts of the cells that may define what this one uses. */
  texts(): string[];
  /** What Python knows; null where there is none, or no time. */
  ask(type: Question['type'], words: string): Promise<Found>;
}

export const KEYS = 'Tab completes a name or indents; Ctrl+I says what a name is; Escape, then Tab, leaves the editor.';
const NO_PYTHON = 'Run this cell or one above it first: only Python knows what stands behind a dot.';
const WORDS =
  'False None True and as assert break class continue def del elif else except finally for from global if import in is ' +
  'lambda not or pass raise return try while with yield abs all any enumerate float int isinstance len list max min ' +
  'print range reversed round set sorted str sum tuple zip dict';

export function completion(knowledge: Knowledge): Extension {
  const source = (context: CompletionContext) => complete(context, knowledge);
  const tab = (view: EditorView) => acceptCompletion(view) || (begun(view.state) !== null && startCompletion(view));
  const tell = (view: EditorView) => {
    void explain(view, knowledge);
    return true;
  };
  const hush = (view: EditorView) => {
    if (!view.state.field(note)) return false;
    view.dispatch({ effects: say.of(null) });
    return true;
  };
  return [
    note,
    autocompletion({ override: [source], activateOnTyping: false, icons: false, interactionDelay: 0 }),
    tooltips({ parent: document.body }), // a cell would cut off what stands above it
    Prec.high(
      keymap.of([
        { key: 'Tab', run: tab },
        { key: 'Mod-i', run: tell },
        { key: 'Escape', run: hush },
      ]),
    ),
  ];
}

/** The dotted name that ends at the cursor, or null where Tab is to indent. */
function begun(state: EditorState): { path: string; name: string; from: number } | null {
  const { main } = state.selection;
  const line = state.doc.lineAt(main.head);
  const found = /(?<![\w.)\]])((?:[A-Za-z_]\w*\.)*)((?:[A-Za-z_]\w*)?)$/.exec(
    line.text.slice(0, main.head - line.from),
  );
  const inside = syntaxTree(state).resolveInner(main.head, -1).name;
  if (!main.empty || !found?.[0] || /String|Comment/.test(inside)) return null;
  const [, path = '', name = ''] = found;
  return { path, name, from: main.head - name.length };
}

async function complete(context: CompletionContext, knowledge: Knowledge): Promise<CompletionResult | null> {
  const at = context.explicit ? begun(context.state) : null;
  if (!at) return null;
  const live = await knowledge.ask('complete', at.path + at.name);
  const known = Array.isArray(live) ? live : [];
  const own = at.path
    ? []
    : [...names(context.state.doc.toString(), at.from), ...knowledge.texts().flatMap((text) => names(text))];
  const all = new Set([...own, ...known, ...(at.path ? [] : WORDS.split(' '))]);
  const fits = [...all].filter((name) => name.startsWith(at.name) && name !== at.name);
  const { view } = context;
  if (context.aborted) return null;
  if (fits.length === 0 && view) {
    const why = at.path && live === null ? NO_PYTHON : `No name here goes on from “${at.path}${at.name}”.`;
    view.dispatch({ effects: say.of({ head: why, doc: '', at: at.from }) });
  }
  if (fits.length === 1 && view) {
    view.dispatch(insertCompletionText(view.state, fits[0] as string, at.from, context.pos));
    return null;
  }
  return fits.length ? { from: at.from, options: fits.map((label) => ({ label })), validFor: /^\w*$/ } : null;
}

/** The names of variables and functions in a text, but for the one that begins at `except`. */
function names(text: string, except = -1): string[] {
  const found: string[] = [];
  pythonLanguage.parser.parse(text).iterate({
    enter: ({ name, from, to }) => {
      if (name === 'VariableName' && from !== except) found.push(text.slice(from, to));
    },
  });
  return found;
}

async function explain(view: EditorView, knowledge: Knowledge): Promise<void> {
  const at = asked(view.state);
  if (!at) return;
  const { doc } = view.state;
  const live = await knowledge.ask('describe', at.name);
  const found = live && !Array.isArray(live) ? live : written(at.name, [doc.toString(), ...knowledge.texts()]);
  if (doc !== view.state.doc) return;
  view.dispatch({
    effects: say.of({ ...(found ?? { head: `Nothing is known of ${at.name} yet.`, doc: '' }), at: at.from }),
  });
}

/** The dotted name at the cursor, or that of the call that it stands in. */
function asked(state: EditorState): { name: string; from: number } | null {
  const { head } = state.selection.main;
  const line = state.doc.lineAt(head);
  const column = head - line.from;
  for (const { 0: name, index } of line.text.matchAll(/[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/g)) {
    if (index > column || column > index + name.length) continue;
    const rest = name.indexOf('.', column - index);
    return { name: rest < 0 ? name : name.slice(0, rest), from: line.from + index };
  }
  const call = /([A-Za-z_][\w.]*)\s*\([^()]*$/.exec(line.text.slice(0, column));
  return call?.[1] ? { name: call[1], from: line.from + call.index } : null;
}

/** The head and the docstring of a function or class as the cells write it. */
function written(name: string, texts: string[]): Description | null {
  for (const text of texts) {
    const lines = text.split('\n');
    const first = lines.findIndex((line) => new RegExp(`^\\s*(def|class) ${name}\\b`).test(line));
    if (first < 0) continue;
    const last = lines.findIndex((line, index) => index >= first && /:\s*(#.*)?$/.test(line));
    const head = lines.slice(first, last + 1).map((line) => line.trim());
    const doc = /^\s*[rR]?"""([\s\S]*?)"""/.exec(lines.slice(last + 1).join('\n'))?.[1] ?? '';
    return { head: head.join(' '), doc: doc.replace(/^ {4}/gm, '') };
  }
  return null;
}

const say = StateEffect.define<(Description & { at: number }) | null>();

/** What is said of a name, below it, until something is typed or the cursor moves. */
const note = StateField.define<Tooltip | null>({
  create: () => null,
  update(shown, { effects, docChanged, selection }) {
    const said = effects.find((effect) => effect.is(say));
    if (!said) return docChanged || selection ? null : shown;
    const words = said.value as (Description & { at: number }) | null;
    return words && { pos: words.at, create: ({ dom }) => ({ dom: box(dom.ownerDocument, words) }) };
  },
  provide: (field) => showTooltip.from(field),
});

function box(page: Document, { head, doc }: Description): HTMLElement {
  const place = page.createElement('div');
  place.className = 'cell-told';
  place.setAttribute('role', 'status');
  place.append(Object.assign(page.createElement('code'), { textContent: head }));
  if (doc) place.append(Object.assign(page.createElement('pre'), { textContent: doc.replaceAll('``', '`') }));
  return place;
}
