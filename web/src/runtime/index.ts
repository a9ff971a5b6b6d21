import { listeners } from './listeners';
import type { Runtime, RuntimeConfig } from './types';

export type * from './types';

const NO_PYTHON =
  'Cells do not run in this copy of the site. Install groundup and start “groundup learn” to run them on your machine.';
const NO_CONFIG = 'This page cannot run cells now: the site does not answer. Is this device online?';

/** The Python behind a lesson's cells. Call it at the first run: it loads, but starts no Python before run() does. */
export async function createRuntime(root: string, lesson: string): Promise<Runtime> {
  const base = siteRoot(root);
  const config = await readConfig(base);
  if (config?.kind === 'kernel') {
    const { kernelRuntime } = await import('./kernel');
    return kernelRuntime(kernelUrl(base), lesson);
  }
  if (config?.kind === 'pyodide') {
    const { pyodideRuntime } = await import('./pyodide');
    return pyodideRuntime(new URL(config.url, base).href);
  }
  return noRuntime(config ? NO_PYTHON : NO_CONFIG);
}

export function siteRoot(root: string): URL {
  return new URL(root || './', document.baseURI);
}

/** The address of the websocket. */
export function kernelUrl(base: URL): string {
  const url = new URL('kernel', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** What runs Python for this copy of the site; undefined if it does not answer. */
export async function readConfig(base: URL): Promise<RuntimeConfig | undefined> {
  try {
    const answer = await fetch(new URL('runtime.json', base));
    return answer.ok ? ((await answer.json()) as RuntimeConfig) : undefined;
  } catch {
    return undefined;
  }
}

/** Answers every run with why it cannot be. */
function noRuntime(text: string): Runtime {
  const { emit, onEvent } = listeners();
  return {
    kind: 'none',
    run: ({ run }) => {
      emit({ type: 'status', state: 'failed', text });
      emit({ type: 'done', run, ok: false, reason: 'error' });
    },
    ask: async () => null,
    interrupt: () => {},
    restart: () => {},
    onEvent,
  };
}
