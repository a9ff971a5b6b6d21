import type { CSSProperties } from 'react';
import type { Code, Output } from '../data';
import { renderCode } from '../render/code';

/** A code cell as the cells script expects it (web/src/cells). */
export function CodeCell({ cell, equations }: { cell: Code; equations: Set<string> }) {
  const onlyHelpers = cell.segments.every((segment) => segment.folded) && cell.outputs.length === 0;
  return (
    <section
      className={`cell${cell.twins.length ? ' has-pairs' : ''}${onlyHelpers ? ' helpers' : ''}`}
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
        <span className="cell-actions" data-actions="" />
      </div>
      {/* safe: renderCode escapes every token */}
      <div className="cell-code" data-code="" dangerouslySetInnerHTML={{ __html: renderCode(cell, equations) }} />
      <div className="cell-output" data-output="">
        {merged(cell.outputs).map((output, index) => (
          <OutputView key={index} output={output} cell={cell.id} />
        ))}
      </div>
      {cell.waiting && <p className="cell-waiting">Its output is on its way.</p>}
    </section>
  );
}

/** About how high the cell will be: the browser lays it out only when it comes near. */
function height(cell: Code): number {
  const lines = cell.segments.map(({ start, end, folded }) => (folded ? 1.5 : end - start + 1.5));
  const outputs = cell.outputs.map((output) =>
    output.kind === 'text' ? 1.5 + 1.24 * (output.text.split('\n').length - 1) : 2 + output.height / 16,
  );
  const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);
  return Math.round(2.2 + 1.33 * sum(lines) + sum(outputs));
}

function OutputView({ output, cell }: { output: Output; cell: string }) {
  if (output.kind === 'text') {
    return (
      <pre className={`output-text ${output.stream}`} tabIndex={0} role="region" aria-label={`Output of ${cell}`}>
        {output.text.replace(/\n$/, '')}
      </pre>
    );
  }
  return (
    <figure className="output-figure">
      <img src={output.file} alt={output.alt} width={output.width} height={output.height} loading="lazy" data-zoom="" />
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
