// Python on this machine, behind the websocket of `groundup learn`.
import { listeners, OpenRuns, Questions } from './listeners';
import { token } from './token';
import type { AnswerEvent, Question, RunRequest, Runtime, RuntimeEvent } from './types';

export const GONE =
  'The groundup learn server is not running any more. Start it again and open the address that it prints; ' +
  'this page keeps your edits.';
export const REFUSED =
  'Open the address that groundup learn printed: this page has no key, or an old one, to run code.';
/** Close code of a server that does not know our token. */
export const UNAUTHORISED = 4401;
/** Milliseconds between attempts to reach a server that has gone: soon at first, then rarely. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

type Message =
  | RunRequest
  | (Question & { ask: number })
  | { type: 'hello'; token: string; lesson: string }
  | { type: 'interrupt' | 'restart' };

export function kernelRuntime(url: string, lesson: string): Runtime {
  const { emit, onEvent } = listeners();
  const runs = new OpenRuns(emit);
  const questions = new Questions();
  let socket: WebSocket | undefined;
  let ready = false;
  let waiting: RunRequest[] = [];
  let wait = FIRST_WAIT;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function send(message: Message): void {
    socket?.send(JSON.stringify(message));
  }

  function connect(): void {
    clearTimeout(timer);
    const opened = new WebSocket(url);
    socket = opened;
    opened.onopen = () => send({ type: 'hello', token: token(), lesson });
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as RuntimeEvent | AnswerEvent;
      if (event.type === 'answer') {
        questions.answer(event);
        return;
      }
      if (event.type === 'status' && event.state === 'ready' && !ready) {
        ready = true;
        wait = FIRST_WAIT;
        for (const request of waiting) send(request);
        waiting = [];
      }
      runs.see(event);
      emit(event);
    };
    opened.onclose = ({ code }) => lost(code);
  }

  function lost(code: number): void {
    const refused = code === UNAUTHORISED;
    const news = ready || runs.any; // another attempt that failed is none
    socket = undefined;
    ready = false;
    waiting = [];
    if (news || refused)
      emit({
        type: 'status',
        state: refused ? 'failed' : 'stopped',
        text: refused ? REFUSED : GONE,
      });
    runs.end('error');
    if (refused) return; // only a new token would help, and the next run looks for one
    timer = setTimeout(connect, wait);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  }

  function run(request: RunRequest): void {
    runs.add(request.run);
    if (ready) {
      send(request);
      return;
    }
    waiting.push(request);
    if (!socket) {
      emit({
        type: 'status',
        state: 'starting',
        text: 'Connecting to Python on this machine…',
      });
      connect();
    }
  }

  function ask(type: 'interrupt' | 'restart', reason: 'interrupted' | 'restarted'): void {
    if (ready) {
      send({ type });
      return;
    }
    waiting = []; // nothing has reached the server
    runs.end(reason);
  }

  return {
    kind: 'kernel',
    run,
    ask: async (question) => (ready ? questions.ask((ask) => send({ ...question, ask })) : null),
    interrupt: () => ask('interrupt', 'interrupted'),
    restart: () => ask('restart', 'restarted'),
    onEvent,
  };
}
