// Python in a worker, with NumPy, from the files that Pyodide is made of.
import type { PyodideAPI } from 'pyodide';

/** NumPy is loaded with Python itself, because everything here needs it. */
export const STARTING = 'Starting Python and NumPy in your browser (16 MB, kept for the next time)…';

export async function loadPython(indexURL: string): Promise<PyodideAPI> {
  const { loadPyodide } = (await import(/* @vite-ignore */ `${indexURL}pyodide.mjs`)) as typeof import('pyodide');
  return loadPyodide({
    indexURL,
    packageBaseUrl: indexURL, // else what is not there would be looked for on a public host
    packages: ['numpy'],
    env: { HOME: '/home/pyodide', MPLBACKEND: 'Agg' },
  });
}

/** The last line of what went wrong: Python's own words. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split('\n').at(-1) ?? '';
}
