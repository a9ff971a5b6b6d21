import type { CSSProperties, ReactNode } from 'react';
import type { Code, FrameFiles, Output } from '../data';
import { FramesView } from '../figures/FramesView';
import { least } from '../figures/least';
import { foldTitle, renderCode } from '../render/code';
import { escapeHtml } from '../render/html';
import type { TextContext } from '../render/markdown';

/** A code cell as the cells script expects it (web/src/cells). */
export function CodeCell({ cell, context }: { cell: Code; context: TextContext }) {
  // safe: renderCode escapes every token
  const code = (
    <div className="cell-code" data-code="" dangerouslySetInnerHTML={{ __html: renderCode(cell, context) }} />
  );
  const folded = cell.fold !== '' && cell.outputs.length > 0;
  return (
    <section
      className={`cell${folded ? ' folded' : ''}${cell.margin ? ' in-margin' : ''}`}
      id={`cell-${cell.id}`}
      data-cell={cell.id}
      data-track={cell.track}
      data-live=""
      data-seconds={cell.seconds}
      data-total={cell.total}
      data-why={cell.browser ? undefined : cell.why}
      style={{ '--height': `${height(cell)}rem` } as CSSProperties}
    >
      <div className="cell-bar">
        <a className="cell-name" href={`#cell-${cell.id}`}>
          {cell.id}
        </a>
        {cell.track === 'torch' && <span className="cell-track">PyTorch</span>}
        {cell.fold === '' && <span className="cell-shapes">{shapesOf(cell)}</span>}
        <span className="cell-actions" data-actions="" />
      </div>
      {folded ? (
        <details className="code-fold">
          <summary dangerouslySetInnerHTML={{ __html: title(cell) }} />
          {code}
        </details>
      ) : (
        code
      )}
      <div className="cell-output" data-output="">
        <Predicted question={cell.outputs.length > 0 ? cell.predict : ''}>
          {merged(cell.outputs).map((output, index) => (
            <OutputView key={index} output={output} cell={cell.id} />
          ))}
        </Predicted>
      </div>
      {cell.waiting && <p className="cell-waiting">Its output is on its way.</p>}
    </section>
  );
}

/** What a cell's functions take and give; where one stands in steps, its first step says so. */
function shapesOf({ shapes, beside }: Code): string {
  const others = shapes.filter(({ name }) => !beside.some((one) => one.name === name));
  return others.map(({ name, text }) => (others.length > 1 ? `${name}: ${text}` : text)).join('   ');
}

/** Whether a cell goes into one folded line with its neighbours: nothing of it is to be seen. */
export function isPlumbing(cell: Code): boolean {
  return cell.fold !== '' && cell.outputs.length === 0;
}

/** Cells without anything to see, behind one line that says what they give. */
export function Plumbing({ cells, children }: { cells: Code[]; children: ReactNode }) {
  const told = cells.flatMap((cell) => (cell.gives ? [gives(cell)] : []));
  const labels = cells.flatMap((cell) => cell.segments.map((segment) => segment.label));
  const names = labels.flatMap((label) => label.split(', ')).filter((name) => name && name !== 'imports');
  const again = cells.some((cell) => cell.fold === 'again');
  const words = `${again ? 'Once more, for PyTorch’s notebook: ' : ''}${foldTitle(names.join(', ') || 'imports')}`;
  const html = told.length ? `${told.join(' ')} <span class="plumbing-names">${words}</span>` : words;
  return (
    <details className="plumbing" data-track={cells[0]?.track}>
      {/* safe: names and comments are escaped */}
      <summary dangerouslySetInnerHTML={{ __html: html }} />
      {children}
    </details>
  );
}

/** Behind a question, the output waits until the reader has thought. */
function Predicted({ question, children }: { question: string; children: ReactNode }) {
  if (!question) return children;
  return (
    <details className="predict">
      <summary>
        <b>Predict first.</b> {question} <span className="predict-show">Show what comes out</span>
      </summary>
      {children}
    </details>
  );
}

/** What folded code gives, with the names in it as code. */
function gives(cell: Code): string {
  return escapeHtml(cell.gives).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function title(cell: Code): string {
  if (cell.gives) return gives(cell);
  const lines = cell.source.split('\n').filter((line) => line.trim()).length;
  const drawn = cell.outputs.some((output) => output.kind === 'figure');
  return `${drawn ? 'Code of this figure' : 'Code of this output'} <span>${lines === 1 ? '1 line' : `${lines} lines`}</span>`;
}

/** About how high the cell will be: the browser lays it out only when it comes near. */
function height(cell: Code): number {
  const hidden = cell.inner.reduce((sum, { start, end }) => sum + end - start, 0);
  const open = cell.segments.map(({ start, end, folded }) => (folded ? 1.5 : end - start + 1.5));
  const outputs = cell.outputs.map((output) =>
    output.kind === 'text'
      ? 1.5 + 1.24 * Math.min(output.text.split('\n').length - 1, MOST + 2)
      : 2 + output.height / 16,
  );
  const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);
  const code = cell.fold ? 0.3 : Math.max(1.5, sum(open) - hidden);
  return Math.round(2 + 1.3 * code + sum(outputs));
}

/** Lines of a text that stand in sight; of longer ones the first and the last. */
const MOST = 24;
const [FIRST, LAST] = [12, 6];

function OutputView({ output, cell }: { output: Output; cell: string }) {
  if (output.kind === 'figure') {
    const { file, alt, width, height, frames } = output;
    if (frames) return <FramesFigure still={output} frames={frames} />;
    return (
      <figure
        className="output-figure"
        style={least(width)}
        tabIndex={0}
        role="region"
        aria-label={`Figure of ${cell}`}
      >
        <img src={file} alt={alt} width={width} height={height} loading="lazy" data-zoom="" />
      </figure>
    );
  }
  const lines = output.text.replace(/\n$/, '').split('\n');
  const part = (text: string[], name = `Output of ${cell}`) => (
    <pre className={`output-text ${output.stream}`} tabIndex={0} role="region" aria-label={name}>
      {text.join('\n')}
    </pre>
  );
  if (lines.length <= MOST) return part(lines);
  return (
    <div className="output-long">
      {part(lines.slice(0, FIRST))}
      <details>
        <summary>{lines.length - FIRST - LAST} more lines</summary>
        {part(lines.slice(FIRST, -LAST), `Output of ${cell}, its middle`)}
      </details>
      {part(lines.slice(-LAST), `Output of ${cell}, its end`)}
    </div>
  );
}

/** A slider over pictures; without scripts a few of them side by side. */
function FramesFigure({ still, frames }: { still: Extract<Output, { kind: 'figure' }>; frames: FrameFiles }) {
  const { files, ...about } = frames;
  const all = { ...about, urls: files };
  return (
    <figure className="output-figure" style={least(frames.width)}>
      <div data-frames={JSON.stringify({ ...all, alt: still.alt })}>
        <FramesView frames={all} alt={still.alt} />
      </div>
      <noscript>
        <img
          className="frames-still"
          src={still.file}
          alt={still.alt}
          width={still.width}
          height={still.height}
          loading="lazy"
        />
      </noscript>
    </figure>
  );
}

/** Streams arrive in pieces; the reader sees one block. */
function merged(outputs: Output[]): Output[] {
  const whole: Output[] = [];
  for (const output of outputs) {
    const last = whole.at(-1);
    if (output.kind === 'text' && last?.kind === 'text' && last.stream === output.stream) {
      whole[whole.length - 1] = { ...last, text: last.text + output.text };
    } else whole.push(output);
  }
  return whole;
}
