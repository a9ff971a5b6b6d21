import { type MouseEvent, memo, useLayoutEffect, useRef, useState } from 'react';
import { FramesView } from '../figures/FramesView';
import { least } from '../figures/least';
import { show } from '../reading/zoom';
import type { ErrorLine } from '../runtime/types';
import type { Lesson } from './lesson';
import type { LiveCell } from './page';
import type { Block, Run } from './state';

const MOST_FIGURES = 12; // at once: a loop that draws has two hundred
const MOST_LINES = 8; // of a traceback: a recursion without end has a thousand

/** Everything here is text or an image from a blob: what a cell prints can never become part of the page. */
export function Output({ run, cell, lesson }: { run: Run; cell: LiveCell; lesson: Lesson }) {
  const alts = [...cell.output.querySelectorAll<HTMLImageElement>('img:not(.frames-still)')].map((image) => image.alt);
  const [all, setAll] = useState(false);
  const many = run.blocks.filter((block) => block.kind === 'figure').length;
  const most = all || many <= MOST_FIGURES ? many : MOST_FIGURES / 2;
  let figures = 0;
  return run.blocks.map((block, index) => {
    const key = `${index} ${block.kind}`;
    if (block.kind === 'text') {
      const last = index === run.blocks.length - 1 && run.phase === 'running';
      const label = `Live output ${index > 0 ? `${index + 1} ` : ''}of ${cell.id}`;
      return <TextBlock key={key} block={block} follows={last} label={label} />;
    }
    if (block.kind === 'error') return <ErrorBlock key={key} block={block} lesson={lesson} />;
    figures += 1;
    if (figures === most + 1) {
      return (
        <p key={key} className="cell-dropped">
          <button type="button" className="cell-button" onClick={() => setAll(true)}>
            Show {many - most} more figures
          </button>
        </p>
      );
    }
    if (figures > most) return null;
    const alt = alts[figures - 1] || `Figure ${figures} that ${cell.id} drew`;
    if (block.frames) {
      return (
        <figure key={block.frames.urls[0]} className="output-figure" style={least(block.frames.width)}>
          <FramesView frames={block.frames} alt={alt} />
        </figure>
      );
    }
    return (
      <figure key={block.url} className="output-figure" style={least(block.width)}>
        <button
          type="button"
          className="zoom-button"
          aria-label={`Enlarge: ${alt}`}
          onClick={(event) => show(document, event.currentTarget.firstElementChild as HTMLImageElement)}
        >
          <img src={block.url} alt={alt} width={block.width} height={block.height} />
        </button>
      </figure>
    );
  });
}

type Text = Extract<Block, { kind: 'text' }>;

/** While the cell prints, the end of the text stays in sight unless the reader has scrolled up. */
const TextBlock = memo(function TextBlock({ block, follows, label }: { block: Text; follows: boolean; label: string }) {
  const element = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (follows && atEnd.current && element.current) element.current.scrollTop = element.current.scrollHeight;
  }, [block.text, follows]);
  const text = block.text.replace(/\n$/, '');
  if (!text) return null;
  const lines = block.dropped > 0 ? text.split('\n') : [];
  const left = `${block.dropped.toLocaleString('en')} lines left out`;
  return (
    <pre
      className={`output-text ${block.name}`}
      tabIndex={0}
      role="region"
      aria-label={label}
      ref={element}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollTop + clientHeight > scrollHeight - 24;
      }}
    >
      {block.dropped > 0 ? (
        <>
          {`${lines.slice(0, block.kept).join('\n')}\n`}
          <span className="cell-dropped">{left}</span>
          {`\n${lines.slice(block.kept).join('\n')}`}
        </>
      ) : (
        text
      )}
    </pre>
  );
});

type Failure = Extract<Block, { kind: 'error' }>;

function ErrorBlock({ block, lesson }: { block: Failure; lesson: Lesson }) {
  const stopped = block.name === 'KeyboardInterrupt';
  const lines = stopped ? block.lines.slice(0, 1) : block.lines;
  const cut = lines.length > MOST_LINES ? lines.length - MOST_LINES : 0;
  const shown = cut ? [...lines.slice(0, MOST_LINES / 2), ...lines.slice(-MOST_LINES / 2)] : lines;
  return (
    <div className={`cell-error${stopped ? ' stopped' : ''}`}>
      <p className="cell-error-title">
        <b>{stopped ? 'Stopped' : block.name}</b>
        {!stopped && block.message && `: ${block.message}`}
      </p>
      {shown.length > 0 && (
        <ol>
          {shown.map((line, index) => (
            <li key={index}>
              {cut > 0 && index === MOST_LINES / 2 && <p className="cell-dropped">{cut} more calls</p>}
              <LineLink line={line} lesson={lesson} />
              <code className="cell-error-code">{line.code.trim()}</code>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function LineLink({ line, lesson }: { line: ErrorLine; lesson: Lesson }) {
  const place = `${line.cell}, line ${line.line}`;
  if (!lesson.state.cells.has(line.cell)) return <span className="cell-error-place">{place}</span>;
  const go = (event: MouseEvent) => {
    if (lesson.jump(line.cell, line.line)) event.preventDefault();
  };
  return (
    <a className="cell-error-place" href={`#${line.cell}-L${line.line}`} onClick={go}>
      {place}
    </a>
  );
}
