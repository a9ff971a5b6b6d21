// Runs inside the worker: loads Pyodide, then runs cells one request after another.
import type { PyodideAPI } from 'pyodide';
import cells from '../../../src/groundup/reader/cells.py?raw';
import runner from '../../../src/groundup/reader/runner.py?raw';
import { loadPython, reason, STARTING } from './load';
import session from './session.py?raw';
import type { Question, RunRequest, RuntimeState } from './types';

type Message = { type: 'load'; url: string } | RunRequest | Question;

/** The Python class of session.py, as Pyodide shows it to JavaScript. */
interface Session {
  plan(request: string): string;
  run(): void;
  answer(question: string): void;
}

interface Loaded {
  pyodide: PyodideAPI;
  session: Session;
}

const FOLDER = '/groundup';
const LATER = {
  matplotlib: 'Loading Matplotlib (10 MB, kept for the next time)…',
};

let loading: Promise<Loaded>;
/** Requests wait for the one before. */
let last: Promise<void> = Promise.resolve();

function send(json: string): void {
  self.postMessage(json);
}

function status(state: RuntimeState, text: string): void {
  send(JSON.stringify({ type: 'status', state, text }));
}

async function load(indexURL: string): Promise<Loaded> {
  status('starting', STARTING);
  const pyodide = await loadPython(indexURL);
  pyodide.FS.mkdirTree(FOLDER);
  for (const [name, text] of Object.entries({ cells, runner, session })) {
    pyodide.FS.writeFile(`${FOLDER}/${name}.py`, text);
  }
  pyodide.pyimport('sys').path.insert(0, FOLDER);
  return {
    pyodide,
    session: pyodide.pyimport('session').Session(send) as Session,
  };
}

async function run(request: RunRequest): Promise<void> {
  const { pyodide, session } = await loading;
  const imports = JSON.parse(session.plan(JSON.stringify(request))) as string[];
  for (const [name, text] of Object.entries(LATER)) {
    if (!imports.includes(name) || name in pyodide.loadedPackages) continue;
    status('starting', text);
    await pyodide.loadPackage(name, { messageCallback: () => {} });
  }
  status('busy', '');
  session.run();
  status('ready', '');
}

async function answer(question: Question): Promise<void> {
  const { session } = await loading;
  session.answer(JSON.stringify(question));
}

self.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.type === 'load') {
    loading = load(data.url);
    loading.catch((error: unknown) =>
      status('failed', `Python could not be loaded from ${data.url}: ${reason(error)}`),
    );
    return;
  }
  last = last
    .then(() => (data.type === 'run' ? run(data) : answer(data)))
    .catch((error: unknown) => status('failed', `Python in your browser has stopped: ${reason(error)}`));
};
