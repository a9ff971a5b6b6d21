// The grader of `groundup learn`, behind the same websocket as the cells: what is noted there, the command line knows.
import { GONE, REFUSED, UNAUTHORISED } from '../runtime/kernel';
import { token } from '../runtime/token';
import { type Grader, STOPPED, type States, type Trial, type Verdict } from './types';

type Event =
  | { type: 'status'; state: string }
  | { type: 'verdict'; run: number; verdict: Verdict }
  | { type: 'tried'; run: number; trial: Trial }
  | { type: 'progress'; states: States };

interface Waiting {
  done(answer: Verdict | Trial): void;
  fail(error: Error): void;
}

export function kernelGrader(url: string, exercise: string, folder: string, hear: (states: States) => void): Grader {
  let connection: Promise<WebSocket> | undefined;
  const waiting = new Map<number, Waiting>();
  let run = 0;

  function lose(why: string): void {
    connection = undefined;
    for (const { fail } of waiting.values()) fail(new Error(why));
    waiting.clear();
  }

  function connect(): Promise<WebSocket> {
    const opening = new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', token: token(), lesson: folder }));
      socket.onmessage = ({ data }: MessageEvent<string>) => {
        const event = JSON.parse(data) as Event;
        if (event.type === 'status') resolve(socket);
        else if (event.type === 'progress') hear(event.states);
        else {
          waiting.get(event.run)?.done(event.type === 'verdict' ? event.verdict : event.trial);
          waiting.delete(event.run);
        }
      };
      socket.onclose = ({ code }) => {
        const why = code === UNAUTHORISED ? REFUSED : GONE;
        reject(new Error(why));
        if (connection === opening) lose(why);
      };
    });
    return opening;
  }

  async function send(message: object): Promise<void> {
    connection ??= connect();
    (await connection).send(JSON.stringify(message));
  }

  function ask<Answer extends Verdict | Trial>(message: object): Promise<Answer> {
    return new Promise((done, fail) => {
      run += 1;
      waiting.set(run, { done: (answer) => done(answer as Answer), fail });
      send({ ...message, run, exercise }).catch(fail);
    });
  }

  return {
    check: (source) => ask<Verdict>({ type: 'grade', source }),
    attempt: (source, line) => ask<Trial>({ type: 'try', source, line }),
    stop() {
      // The server notices, and keeps nothing of an answer that nobody waits for; the next check connects again.
      const left = connection;
      lose(STOPPED);
      left?.then((socket) => socket.close()).catch(() => {});
    },
    note(step) {
      send({ type: 'practice', exercise, step }).catch(() => {}); // this device remembers it anyway
    },
  };
}

/** Asks once how far one is with all exercises. */
export function askProgress(url: string, hear: (states: States) => void): void {
  if (!token()) return;
  const socket = new WebSocket(url);
  socket.onopen = () => {
    socket.send(JSON.stringify({ type: 'hello', token: token(), lesson: '' }));
    socket.send(JSON.stringify({ type: 'progress' }));
  };
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const event = JSON.parse(data) as Event;
    if (event.type !== 'progress') return;
    hear(event.states);
    socket.close();
  };
}
