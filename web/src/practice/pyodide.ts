// The same grader in a worker of this page. An answer that does not end is ended with its worker.
import { type Grader, STOPPED, type Trial, type Verdict } from './types';

/** For one check, without the time that Python takes to start. */
const SECONDS = 20;
const TOO_LONG = 'Your code took too long: it was stopped. Is there a loop that never ends?';

export type ToWorker =
  | { type: 'load'; python: string; zip: string }
  | { type: 'grade'; folder: string; exercise: string; source: string }
  | { type: 'try'; folder: string; exercise: string; source: string; line: string };
export type FromWorker =
  | { type: 'status'; text: string }
  | { type: 'grading' }
  | { type: 'verdict'; verdict: Verdict }
  | { type: 'tried'; trial: Trial }
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

  /** The answer to a message; `late` is what stands for it when Python takes too long. */
  function ask<Answer>(message: ToWorker, read: (event: FromWorker) => Answer | undefined, late: Answer) {
    const own = worker ?? start();
    worker = own;
    let clock: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<Answer>((resolve, reject) => {
      fail = reject;
      own.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        const answer = read(data);
        if (answer !== undefined) resolve(answer);
        else if (data.type === 'status') status(data.text);
        else if (data.type === 'failed') end(data.text);
        else {
          status(message.type === 'try' ? 'Running…' : 'Checking…');
          clock = setTimeout(() => {
            resolve(late);
            end('');
          }, 1000 * SECONDS);
        }
      };
      own.onerror = (event) => {
        event.preventDefault();
        end(`Python could not be started in this browser. ${event.message ?? ''}`);
      };
      own.postMessage(message);
    });
    return answered.finally(() => clearTimeout(clock));
  }

  return {
    check: (source) =>
      ask(
        { type: 'grade', folder, exercise, source },
        (event) => (event.type === 'verdict' ? event.verdict : undefined),
        timeout(exercise),
      ),
    attempt: (source, line) =>
      ask(
        { type: 'try', folder, exercise, source, line },
        (event) => (event.type === 'tried' ? event.trial : undefined),
        { ok: false, value: '', message: TOO_LONG, lines: [], log: '' },
      ),
    stop: () => end(STOPPED),
    note: () => {},
  };
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
