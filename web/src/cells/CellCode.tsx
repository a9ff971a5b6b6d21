import { useEffect, useRef, useState } from 'react';
import { type Atom, patch, useAtom } from './atom';
import type { Editor, Token } from './codemirror';
import type { Lesson } from './lesson';
import { foldedLines, type LiveCell } from './page';
import type { CellState } from './state';

interface Props {
  cell: LiveCell;
  atom: Atom<CellState>;
  lesson: Lesson;
}

/** What stands in place of the built code: the reader's text, or the editor. */
export function CellCode({ cell, atom, lesson }: Props) {
  const { edit, open, editing, drifted, elsewhere, line } = useAtom(atom);
  return (
    <>
      {drifted && (
        <p className="cell-note">The lesson’s text of this cell has changed since you edited it: Reset shows it.</p>
      )}
      {elsewhere && (
        <p className="cell-note" role="status">
          This cell has been changed in another tab; here is its text.
        </p>
      )}
      {edit !== null && !editing && <EditedCode id={cell.id} text={edit} line={line} />}
      {open && <CellEditor cell={cell} atom={atom} lesson={lesson} />}
    </>
  );
}

/** The edited text, coloured like the code around it as soon as the colours are loaded. */
function EditedCode({ id, text, line }: { id: string; text: string; line: number | null }) {
  const [tokens, setTokens] = useState<{ text: string; lines: Token[][] } | null>(null);
  useEffect(() => {
    let gone = false;
    void import('./codemirror').then(
      ({ highlight }) => !gone && setTokens({ text, lines: highlight(text) }),
      () => {}, // without colours it can be read too
    );
    return () => {
      gone = true;
    };
  }, [text]);
  const lines = tokens?.text === text ? tokens.lines : text.split('\n').map((whole): Token[] => [{ text: whole }]);
  return (
    <pre className="shiki" tabIndex={0} role="region" aria-label={`Your code of ${id}`}>
      {lines.map((pieces, index) => (
        <span key={index} className={index + 1 === line ? 'line line-error' : 'line'}>
          {pieces.map((piece, at) => (
            <span key={at} className={piece.name}>
              {piece.text}
            </span>
          ))}
          {index + 1 < lines.length && '\n'}
        </span>
      ))}
    </pre>
  );
}

/** The editor is loaded when the first one is wanted; until it is there, the code stays in sight. */
function CellEditor({ cell, atom, lesson }: Props) {
  const { id } = cell;
  const { line, edit, elsewhere } = useAtom(atom);
  const place = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<Editor | null>(null);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    let made: Editor | undefined;
    let gone = false;
    const begin = async () => {
      const [{ createEditor, KEYS }] = await Promise.all([import('./codemirror'), lesson.texts.load()]);
      if (gone || !place.current) return;
      const { edit } = atom.get();
      made = createEditor({
        parent: place.current,
        text: edit ?? lesson.texts.original(id),
        label: `Code of ${id}. ${KEYS}`,
        folds: edit === null ? foldedLines(cell) : [],
        knowledge: {
          texts: () => lesson.texts.around(id),
          ask: (type, words) => lesson.session.ask(id, type, words),
        },
        change: (value) => lesson.texts.change(id, value),
        run: () => lesson.run(id),
      });
      patch(atom, { editing: true });
      setEditor(made);
      lesson.opened(id, made);
    };
    begin().catch(() => !gone && setProblem('The editor could not be loaded. Is this device online?'));
    return () => {
      gone = true;
      made?.destroy();
      lesson.editors.delete(id);
      patch(atom, { editing: false });
    };
  }, [id, cell, atom, lesson]);

  useEffect(() => {
    if (elsewhere) editor?.take(edit ?? lesson.texts.original(id));
  }, [editor, elsewhere, edit, lesson, id]);

  useEffect(() => editor?.mark(line), [editor, line]);

  return (
    <>
      {problem && <p className="cell-note">{problem}</p>}
      <div className="cell-editor" ref={place} />
      <p className="cell-keys" aria-hidden="true">
        <kbd>Tab</kbd> completes · <kbd>Ctrl</kbd>+<kbd>I</kbd> explains · <kbd>Esc</kbd>, <kbd>Tab</kbd> leaves
      </p>
    </>
  );
}
