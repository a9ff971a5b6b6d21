// The same grader in a worker of this page. An answer that does not end is ended with its worker.
import { type Grader, STOPPED, type Verdict } from './types';

/** For one check, without the time that Python takes to start. */
const SECONDS = 20;
const TOO_LONG = 'Your code took too long: it was stopped. Is there a loop that never ends?';

export type ToWorker =
  | { type: 'load'; python: string; zip: string }
  | { type: 'grade'; folder: string; exercise: string; source: string };
export type FromWorker =
  | { type: 'status'; text: string }
  | { type: 'grading' }
  | { type: 'verdict'; verdict: Verdict }
  | { type: 'failed'; text: string };

export function pyodideGrader(
  python: string,
  zip: string,
  exercise: string,
  folder: string,
  status: (text: string) => void,
): Grader {
  let worker: Worker | undefined;
  let fail = (_: Error): void => {};

  function end(why: string): void {
    worker?.terminate();
    worker = undefined;
    fail(new Error(why));
  }

  function start(): Worker {
    const started = new Worker(new URL('./grade.worker.ts', import.meta.url), { type: 'module' });
    started.postMessage({ type: 'load', python, zip } satisfies ToWorker);
    return started;
  }

  function check(source: string): Promise<Verdict> {
    const own = worker ?? start();
    worker = own;
    let clock: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<Verdict>((resolve, reject) => {
      fail = reject;
      own.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === 'status') status(data.text);
        else if (data.type === 'verdict') resolve(data.verdict);
        else if (data.type === 'failed') end(data.text);
        else {
          status('Checking…');
          clock = setTimeout(() => {
            resolve(timeout(exercise));
            end('');
          }, 1000 * SECONDS);
        }
      };
      own.onerror = (event) => {
        event.preventDefault();
        end(`Python could not be started in this browser. ${event.message ?? ''}`);
      };
      own.postMessage({ type: 'grade', folder, exercise, source } satisfies ToWorker);
    });
    return answered.finally(() => clearTimeout(clock));
  }

  return { check, stop: () => end(STOPPED), note: () => {} };
}

function timeout(exercise: string): Verdict {
  return {
    exercise,
    status: 'timeout',
    message: TOO_LONG,
    check: '',
    arguments: null,
    upstream: '',
    expected: '',
    got: '',
    error: null,
    measured: '',
    diagnosis: '',
    lines: [],
    log: '',
    checks: [],
    seconds: SECONDS,
    passed: false,
  };
}
