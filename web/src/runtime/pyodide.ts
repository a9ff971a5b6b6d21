// Python in a worker of this page. Without SharedArrayBuffer nothing can interrupt it but its end, so Stop ends the
// worker: the next run starts another one, and runs again what its cell depends on.
import { listeners, OpenRuns, Questions } from './listeners';
import type { AnswerEvent, RunRequest, Runtime, RuntimeEvent } from './types';

const NO_TORCH = 'PyTorch does not run in a browser. Install groundup and start “groundup learn” to run this cell.';

export function pyodideRuntime(url: string): Runtime {
  const { emit, onEvent } = listeners();
  const runs = new OpenRuns(emit);
  const questions = new Questions();
  let worker: Worker | undefined;

  function end(reason: 'interrupted' | 'error' | 'restarted', state: 'stopped' | 'failed', text: string): void {
    worker?.terminate();
    worker = undefined;
    emit({ type: 'status', state, text });
    runs.end(reason);
  }

  function start(): Worker {
    const started = new Worker(new URL('./pyodide.worker.ts', import.meta.url), { type: 'module' });
    started.onmessage = ({ data }: MessageEvent<string>) => {
      if (worker !== started) return; // on its way when the worker was ended
      const event = JSON.parse(data) as RuntimeEvent | AnswerEvent;
      if (event.type === 'answer') {
        questions.answer(event);
        return;
      }
      if (event.type === 'status' && event.state === 'failed') {
        end('error', 'failed', event.text);
        return;
      }
      runs.see(event);
      emit(event);
    };
    started.onerror = (event) => {
      event.preventDefault();
      if (worker === started)
        end('error', 'failed', `Python could not be started in this browser. ${event.message ?? ''}`);
    };
    started.postMessage({ type: 'load', url });
    return started;
  }

  function run(request: RunRequest): void {
    if (request.track === 'torch') {
      refuse(request);
      return;
    }
    runs.add(request.run);
    worker ??= start();
    worker.postMessage(request);
  }

  /** Answers like a cell that failed, without loading Python for it. */
  function refuse({ run, target: cell }: RunRequest): void {
    emit({
      type: 'status',
      state: runs.any ? 'busy' : worker ? 'ready' : 'stopped',
      text: NO_TORCH,
    });
    emit({ type: 'plan', run, cells: [cell] });
    emit({ type: 'start', run, cell });
    emit({
      type: 'error',
      run,
      cell,
      name: 'ModuleNotFoundError',
      message: NO_TORCH,
      lines: [],
    });
    emit({ type: 'end', run, cell, ok: false, seconds: 0 });
    emit({ type: 'done', run, ok: false, reason: 'error' });
  }

  return {
    kind: 'pyodide',
    run,
    ask: async (question) =>
      worker && !runs.any && question.track === 'numpy'
        ? questions.ask((ask) => worker?.postMessage({ ...question, ask }))
        : null,
    interrupt: () => {
      if (runs.any) end('interrupted', 'stopped', 'Stopped. The next run starts Python anew.');
    },
    restart: () => end('restarted', 'stopped', 'Everything is forgotten. The next run starts Python anew.'),
    onEvent,
  };
}
