// Runs inside the worker: Python, the grader's own files, then one answer after another.
import { loadPython, reason, STARTING } from '../runtime/load';
import grade from './grade.py?raw';
import type { FromWorker, ToWorker } from './pyodide';

/** The functions of grade.py, as Pyodide shows them to JavaScript: they answer in JSON. */
interface Grade {
  grade(folder: string, exercise: string, source: string): string;
  attempt(folder: string, exercise: string, source: string, line: string): string;
}

const FOLDER = '/practice';
let loading: Promise<Grade>;

function send(event: FromWorker): void {
  self.postMessage(event);
}

async function load(python: string, zip: string): Promise<Grade> {
  send({ type: 'status', text: STARTING });
  const [pyodide, files] = await Promise.all([loadPython(python), archive(zip)]);
  pyodide.FS.mkdirTree(FOLDER);
  pyodide.unpackArchive(files, 'zip', { extractDir: FOLDER });
  pyodide.FS.writeFile(`${FOLDER}/grade.py`, grade);
  pyodide.pyimport('sys').path.append(FOLDER);
  return pyodide.pyimport('grade') as Grade;
}

async function archive(zip: string): Promise<ArrayBuffer> {
  const answer = await fetch(zip);
  if (!answer.ok) throw new Error(`${zip} is not there`);
  return answer.arrayBuffer();
}

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.type === 'load') {
      loading = load(data.python, data.zip);
      loading.catch(() => {}); // told to whoever waits for it
      return;
    }
    const python = await loading;
    send({ type: 'grading' });
    const { folder, exercise, source } = data;
    if (data.type === 'grade') send({ type: 'verdict', verdict: JSON.parse(python.grade(folder, exercise, source)) });
    else send({ type: 'tried', trial: JSON.parse(python.attempt(folder, exercise, source, data.line)) });
  } catch (error) {
    send({ type: 'failed', text: `Python in your browser could not check this: ${reason(error)}` });
  }
};
