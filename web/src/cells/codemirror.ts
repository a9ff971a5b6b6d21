// The code editor: CodeMirror with what a lesson's cell needs and nothing else. Loaded at the first Edit.
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { pythonLanguage } from '@codemirror/lang-python';
import {
  bracketMatching,
  codeFolding,
  foldEffect,
  foldKeymap,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { EditorState, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { highlightCode, styleTags, tagHighlighter, tags } from '@lezer/highlight';
import { completion, type Knowledge } from './completion';

export { KEYS } from './completion';

export interface Editor {
  /** Takes the focus, and goes to this line if one is given. */
  focus(line?: number): void;
  text(): string;
  /** Takes over a text from elsewhere, which can be undone; `change` does not hear of it. */
  take(text: string): void;
  /** Marks the line of an error, or none. */
  mark(line: number | null): void;
  destroy(): void;
}

export interface Token {
  text: string;
  name?: string;
}

interface Options {
  parent: HTMLElement;
  text: string;
  label: string;
  /** Lines that start out folded. */
  folds: { from: number; to: number }[];
  knowledge: Knowledge;
  change(text: string): void;
  run(): void;
}

const language = pythonLanguage.configure({
  props: [styleTags({ 'ExpressionStatement/String': tags.docString })],
});

/** The class names that the built code has. */
const colours = tagHighlighter([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.operator], class: 'k' },
  { tag: [tags.string, tags.special(tags.string)], class: 's' },
  { tag: [tags.number, tags.bool, tags.null, tags.self], class: 'n' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.className], class: 'f' },
  { tag: tags.function(tags.definition(tags.variableName)), class: 'f' },
  { tag: [tags.comment, tags.docString], class: 'c' },
]);

/** The lines of a text in coloured pieces. */
export function highlight(text: string): Token[][] {
  const lines: Token[][] = [[]];
  highlightCode(
    text,
    language.parser.parse(text),
    colours,
    (piece, name) => lines.at(-1)?.push({ text: piece, ...(name && { name }) }),
    () => lines.push([]),
  );
  return lines;
}

const markLine = StateEffect.define<number | null>();
const lineMark = Decoration.line({ class: 'line-error' });

const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, { changes, effects, state: { doc } }) {
    const wanted = effects.find((effect) => effect.is(markLine));
    if (!wanted) return marks.map(changes);
    const line = wanted.value as number | null;
    return line && line <= doc.lines ? Decoration.set(lineMark.range(doc.line(line).from)) : Decoration.none;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** What a fold hides: "linear, relu, … 34 lines". */
function foldTitle(state: EditorState, { from, to }: { from: number; to: number }): string {
  const text = state.sliceDoc(from, to);
  const names = [...text.matchAll(/^(?:def|class) (\w+)|^(\w+) *[:=]/gm)].map(([, a, b]) => a ?? b);
  const lines = text.split('\n').length;
  return `▸ ${[...names.slice(0, 4), names.length > 4 || !names.length ? '…' : ''].filter(Boolean).join(', ')} (${lines} lines)`;
}

const folding = codeFolding({
  preparePlaceholder: foldTitle,
  placeholderDOM(view, unfold, title: string) {
    const place = view.dom.ownerDocument.createElement('span');
    place.className = 'cell-fold';
    place.textContent = title;
    place.title = 'Show these lines';
    place.onclick = unfold;
    return place;
  },
});

export function createEditor({ parent, text, label, folds, knowledge, change, run }: Options): Editor {
  const runs = () => {
    run();
    return true;
  };
  const leave = (view: EditorView) => {
    view.setTabFocusMode(true);
    return true;
  };
  const indents = (view: EditorView) => view.setTabFocusMode(false);
  let taking = false;
  const view = new EditorView({
    parent,
    doc: text,
    extensions: [
      lineNumbers(),
      history(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      completion(knowledge),
      language,
      indentUnit.of('    '),
      EditorState.tabSize.of(4),
      syntaxHighlighting(colours),
      folding,
      markedLine,
      keymap.of([
        { key: 'Shift-Enter', run: runs },
        { key: 'Ctrl-Enter', mac: 'Cmd-Enter', run: runs },
        { key: 'Escape', run: leave },
        indentWithTab,
        ...closeBracketsKeymap,
        ...foldKeymap,
        ...historyKeymap,
        ...defaultKeymap,
      ]),
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      EditorView.domEventHandlers({ blur: (_event, current) => indents(current) }),
      EditorView.updateListener.of(({ docChanged, state, view: current }) => {
        if (!docChanged) return;
        if (taking) return;
        indents(current); // who types wants Tab to indent again
        change(state.doc.toString());
      }),
    ],
  });

  const { doc } = view.state;
  const ranges = folds.map(({ from, to }) => ({ from: doc.line(from).from, to: doc.line(Math.min(to, doc.lines)).to }));
  view.dispatch({ effects: ranges.map((range) => foldEffect.of(range)) });

  return {
    focus(number) {
      view.focus();
      if (!number) return;
      const { from } = view.state.doc.line(Math.min(number, view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    },
    text: () => view.state.doc.toString(),
    take(text) {
      if (text === view.state.doc.toString()) return;
      taking = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      taking = false;
    },
    mark: (line) => view.dispatch({ effects: markLine.of(line) }),
    destroy: () => view.destroy(),
  };
}
