// Runs inside the worker: Python, the grader's own files, then one answer after another.
import { loadPython, reason, STARTING } from '../runtime/load';
import grade from './grade.py?raw';
import type { FromWorker, ToWorker } from './pyodide';

/** The function of grade.py, as Pyodide shows it to JavaScript: the verdict as JSON. */
type Grade = (folder: string, exercise: string, source: string) => string;

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
  return pyodide.pyimport('grade').grade as Grade;
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
    const run = await loading;
    send({ type: 'grading' });
    send({ type: 'verdict', verdict: JSON.parse(run(data.folder, data.exercise, data.source)) });
  } catch (error) {
    send({ type: 'failed', text: `Python in your browser could not check this: ${reason(error)}` });
  }
};
