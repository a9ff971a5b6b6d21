// Runs cells one after another in the page's Python and keeps the screen up to date with what it reports.
import type { CellSource } from '../data';
import type { DoneReason, Found, Question, RunEvent, Runtime, RuntimeEvent, Track } from '../runtime/types';
import { patch } from './atom';
import { type Collector, createCollector, type OutputEvent, release } from './outputs';
import { createReview, type Review } from './review';
import { type CellState, type LessonState, NEW_RUN, type Run, type Step } from './state';
import type { Texts } from './texts';
import { seconds } from './words';

export interface Session {
  run(id: string): void;
  stop(id: string): void;
  /** What Python knows of a name in a cell, if it is there and has time. */
  ask(id: string, type: Question['type'], words: string): Promise<Found>;
  restart(): void;
  /** Throws a cell's live output away. */
  forget(id: string): void;
  review: Review;
}

/** The run that is with the runtime, or on its way there. */
interface Active {
  run: number;
  target: string;
  track: Track;
  sources: Map<string, string>;
  /** Cells that come out as the lesson has them: neither they nor any cell above is edited. */
  asBuilt: Set<string>;
  planned: boolean;
  stopping: boolean;
}

const REDRAW = 40; // milliseconds in which output is gathered: a cell that prints fast must not slow the page

export function createSession(state: LessonState, texts: () => Texts): Session {
  const collectors = new Map<string, Collector>();
  const started = new Map<string, number>();
  const queue: string[] = [];
  const review = createReview(state, texts);
  let runtime: Promise<Runtime> | undefined;
  let loaded: Runtime | undefined;
  let active: Active | null = null;
  let counter = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function loadRuntime(): Promise<Runtime> {
    runtime ??= start().catch((error: unknown) => {
      runtime = undefined;
      throw error;
    });
    return runtime;
  }

  async function start(): Promise<Runtime> {
    const { createRuntime } = await import('../runtime');
    const found = await createRuntime(state.page.root, state.page.folder);
    found.onEvent(hear);
    state.kind.set(found.kind);
    loaded = found;
    return found;
  }

  function run(id: string): void {
    const cell = state.cells.get(id);
    if (!cell || active?.target === id || queue.includes(id)) return;
    const busy = cell.get().run;
    if (busy?.phase === 'running') return; // it runs right now for another cell
    patch(cell, { help: false, line: null });
    change(id, { ...NEW_RUN, phase: active ? 'waiting' : 'starting', blocks: busy?.blocks ?? [] });
    queue.push(id);
    void next();
  }

  async function next(): Promise<void> {
    const id = queue[0];
    const cell = state.page.cells.find((one) => one.id === id);
    if (active || !id || !cell) return;
    queue.shift();
    counter += 1;
    const track = trackOf(cell.track);
    const mine: Active = {
      run: counter,
      target: id,
      track,
      sources: new Map(),
      asBuilt: new Set(),
      planned: false,
      stopping: false,
    };
    active = mine;
    change(id, { phase: 'starting' });
    try {
      const [cells, python] = await Promise.all([texts().load(), loadRuntime()]);
      if (active !== mine) return;
      let edited = false;
      for (const source of cells.values()) {
        if (!inSession(source, track)) continue;
        mine.sources.set(source.id, texts().current(source, track));
        edited ||= texts().edited(source.id);
        if (!edited) mine.asBuilt.add(source.id);
      }
      const request = [...mine.sources].map(([cellId, source]) => ({ id: cellId, source }));
      python.run({ type: 'run', run: mine.run, lesson: state.page.folder, track, cells: request, target: id });
    } catch (error) {
      if (active === mine) finish('error', error instanceof Error ? error.message : String(error));
    }
  }

  /** A shared cell runs where the reader is: in PyTorch's session if that is all the page shows. */
  function trackOf(track: CellSource['track']): Track {
    if (track !== 'shared') return track;
    return state.page.document.documentElement.dataset.track === 'torch' && state.kind.get() === 'kernel'
      ? 'torch'
      : 'numpy';
  }

  function hear(event: RuntimeEvent): void {
    if (event.type === 'status') {
      state.status.set(event);
      return;
    }
    if (active?.run === event.run) follow(active, event);
    // A run that was stopped before it began, and has begun now.
    else if (event.type === 'start') loaded?.interrupt();
  }

  function follow(mine: Active, event: RunEvent): void {
    if (event.type === 'plan') {
      mine.planned = true;
      const before = event.cells.filter((id) => id !== mine.target);
      change(mine.target, { steps: before.map((cell): Step => ({ cell, state: 'waiting', seconds: 0 })) });
      state.said.set(before.length ? `${mine.target} runs after ${before.join(', ')}` : `${mine.target} is running`);
    } else if (event.type === 'start') begin(mine, event.cell);
    else if (event.type === 'end') end(mine, event);
    else if (event.type === 'done') finish(event.reason);
    else print(event);
  }

  function begin(mine: Active, id: string): void {
    collectors.set(id, createCollector());
    started.set(id, performance.now());
    const before = state.cells.get(id)?.get().run;
    if (id !== mine.target) {
      setStep(mine, id, { state: 'running' });
      if (!quiet(mine, id)) change(id, { ...NEW_RUN, phase: 'running', asked: false, blocks: before?.blocks ?? [] });
    } else change(id, { phase: 'running' });
    const cell = state.cells.get(id);
    if (cell) patch(cell, { line: null, outdated: false });
  }

  /** What runs for another cell and comes out as built leaves the page alone. */
  function quiet(mine: Active, id: string): boolean {
    return id !== mine.target && mine.asBuilt.has(id) && !state.cells.get(id)?.get().run;
  }

  function print(event: OutputEvent): void {
    collectors.get(event.cell)?.add(event);
    const cell = state.cells.get(event.cell);
    if (event.type === 'error' && cell) {
      patch(cell, { line: event.lines.findLast((line) => line.cell === event.cell)?.line ?? null });
    }
    timer ??= setTimeout(draw, REDRAW);
  }

  function draw(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [id, collector] of collectors) {
      const blocks = collector.blocks();
      if (blocks.length) show(id, { blocks });
    }
  }

  /** Live output takes the place of what was there before. */
  function show(id: string, values: Partial<Run>): void {
    const cell = state.cells.get(id);
    const now = cell?.get().run;
    if (!cell || !now) return;
    if (!now.fresh) release(now.blocks);
    patch(cell, { shows: now.fresh ? cell.get().shows : 'live', run: { ...now, ...values, fresh: true } });
  }

  function end(mine: Active, { cell: id, ok, seconds: told }: Extract<RunEvent, { type: 'end' }>): void {
    draw();
    const spent = told || (performance.now() - (started.get(id) ?? performance.now())) / 1000;
    const blocks = collectors.get(id)?.blocks() ?? [];
    collectors.delete(id);
    setStep(mine, id, { state: ok ? 'ok' : 'failed', seconds: spent });
    if (quiet(mine, id)) {
      if (ok || mine.stopping) release(blocks);
      else change(id, { ...NEW_RUN, asked: false });
    }
    const reason: DoneReason = ok ? '' : mine.stopping ? 'interrupted' : 'error';
    show(id, { blocks, phase: 'done', ok, seconds: spent, reason });
    review.ran(id, mine.track, mine.sources, id === mine.target);
  }

  function setStep(mine: Active, id: string, values: Partial<Step>): void {
    const steps = state.cells.get(mine.target)?.get().run?.steps;
    if (steps) change(mine.target, { steps: steps.map((step) => (step.cell === id ? { ...step, ...values } : step)) });
  }

  /** The run is over, however it went. */
  function finish(reason: DoneReason, note = ''): void {
    const mine = active;
    if (!mine) return;
    draw();
    active = null;
    const target = state.cells.get(mine.target)?.get().run;
    const ran = target?.phase === 'done';
    const why = mine.stopping && reason !== 'restarted' ? 'interrupted' : reason;
    const status = state.status.get();
    const lost = status?.state === 'failed' || status?.state === 'stopped' ? status.text : '';
    const words = note || (why === 'error' || why === 'restarted' ? lost : '');
    if (!ran) change(mine.target, { phase: 'done', ok: false, reason: why, note: words });
    else if (why) change(mine.target, { reason: why, note: words });
    collectors.clear();
    tell(mine.target);
    if (ran && target.ok) {
      const detail = { lesson: state.page.folder, cell: mine.target };
      state.page.document.dispatchEvent(new CustomEvent('groundup:ran', { detail }));
    }
    if (reason === 'restarted') while (queue.length) cancel(queue[0] as string);
    void next();
  }

  function tell(id: string): void {
    const ended = state.cells.get(id)?.get().run;
    if (!ended) return;
    const error = ended.blocks.find((block) => block.kind === 'error');
    if (ended.ok) state.said.set(`${id} has run in ${seconds(ended.seconds)}`);
    else if (ended.reason === 'interrupted') state.said.set(`${id} was stopped`);
    else if (error && ended.fresh) state.said.set(`${id} failed: ${error.name}: ${error.message}`);
    else state.said.set(`${id} did not run. ${ended.note}`);
  }

  function cancel(id: string): void {
    queue.splice(queue.indexOf(id), 1);
    change(id, { phase: 'done', reason: 'interrupted' });
  }

  function stop(id: string): void {
    if (queue.includes(id)) cancel(id);
    if (active?.target !== id) return;
    active.stopping = true;
    const mine = active;
    loaded?.interrupt();
    // Python may not have answered yet: then there is nothing to wait for.
    if (active === mine && !mine.planned) finish('interrupted');
  }

  async function ask(id: string, type: Question['type'], words: string): Promise<Found> {
    const cell = state.page.cells.find((one) => one.id === id);
    return cell && loaded && !active ? loaded.ask({ type, track: trackOf(cell.track), words }) : null;
  }

  function change(id: string, values: Partial<Run>): void {
    const cell = state.cells.get(id);
    if (cell) patch(cell, { run: { ...(cell.get().run ?? NEW_RUN), ...values } });
  }

  return {
    run,
    stop,
    ask,
    restart: () => loaded?.restart(),
    forget(id) {
      const cell = state.cells.get(id);
      const clean: Partial<CellState> = { run: null, shows: 'built', line: null, outdated: false, help: false };
      if (!cell) return;
      release(cell.get().run?.blocks ?? []);
      patch(cell, clean);
    },
    review,
  };
}

function inSession({ track }: CellSource, session: Track): boolean {
  return track === 'shared' || track === session;
}
