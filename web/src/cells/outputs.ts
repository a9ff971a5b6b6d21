// Collects what a running cell sends into blocks for the screen.
import { drawn } from '../figures/drawn';
import type { RunEvent, SvgFrames } from '../runtime/types';
import type { Block } from './state';
import { createTerminal, type Terminal } from './terminal';

export type OutputEvent = Extract<RunEvent, { type: 'stream' | 'value' | 'figure' | 'error' }>;

export interface Collector {
  add(event: OutputEvent): void;
  /** A new array; blocks that have not changed are the same objects as before. */
  blocks(): Block[];
}

export function createCollector(): Collector {
  const done: Block[] = [];
  let stream: { name: 'stdout' | 'stderr'; terminal: Terminal } | null = null;

  /** The stream that is being printed becomes a finished block. */
  function close(): void {
    const block = open();
    if (block) done.push(block);
    stream = null;
  }

  function open(): Block | null {
    if (!stream) return null;
    const { name, terminal } = stream;
    return { kind: 'text', name, text: terminal.text(), dropped: terminal.dropped(), kept: terminal.kept() };
  }

  return {
    add(event) {
      if (event.type === 'stream') {
        if (stream?.name !== event.name) {
          close();
          stream = { name: event.name, terminal: createTerminal() };
        }
        stream.terminal.write(event.text);
        return;
      }
      close();
      if (event.type === 'figure') {
        done.push(figure(event.svg, event.frames));
        return;
      }
      const terminal = createTerminal();
      terminal.write(event.type === 'value' ? event.text : event.message);
      const [text, dropped, kept] = [terminal.text(), terminal.dropped(), terminal.kept()];
      if (event.type === 'value') done.push({ kind: 'text', name: 'value', text, dropped, kept });
      else done.push({ kind: 'error', name: event.name, message: text, lines: event.lines });
    },
    blocks() {
      const last = open();
      return last ? [...done, last] : [...done];
    },
  };
}

/** The SVG stays outside the document, as an image: whatever it contains cannot act on the page. */
function figure(svg: string, frames?: SvgFrames): Block {
  const [width, height] = [size(svg, 'width'), size(svg, 'height')];
  const sizes = width && height ? { width, height } : {};
  const first = frames?.svg[0];
  if (!frames || !first) return { kind: 'figure', url: address(svg), ...sizes };
  const { label, values, start } = frames;
  const one = { width: size(first, 'width') ?? 500, height: size(first, 'height') ?? 330 };
  return { kind: 'figure', url: '', ...sizes, frames: { label, values, start, urls: frames.svg.map(address), ...one } };
}

function address(svg: string): string {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  drawn.set(url, svg);
  return url;
}

/** Matplotlib writes points: 72 an inch, where CSS has 96 pixels. */
function size(svg: string, name: 'width' | 'height'): number | undefined {
  const found = new RegExp(`<svg[^>]*\\s${name}="([\\d.]+)(pt|px)?"`).exec(svg);
  return found ? Math.round(Number(found[1]) * (found[2] === 'pt' ? 96 / 72 : 1)) : undefined;
}

export function release(blocks: Block[]): void {
  for (const block of blocks) {
    if (block.kind !== 'figure') continue;
    for (const url of block.frames?.urls ?? [block.url]) {
      URL.revokeObjectURL(url);
      drawn.delete(url);
    }
  }
}
