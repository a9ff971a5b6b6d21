/** What a page can do more where `groundup learn` serves it: open JupyterLab, and come anew when a lesson changes. */
import { token } from '../runtime/token';
import type { RuntimeConfig } from '../runtime/types';

export async function askServer(page: Document): Promise<void> {
  const root = new URL(page.body.dataset.root ?? './', page.baseURI);
  let config: RuntimeConfig;
  try {
    config = (await (await fetch(new URL('runtime.json', root))).json()) as RuntimeConfig;
  } catch {
    return; // plain files, or offline
  }
  if (config.kind !== 'kernel') return;
  if (config.dev) {
    new EventSource(new URL('dev/events', root)).onmessage = ({ data }: MessageEvent<string>) => {
      const [kind, lesson] = data.split(' ');
      // Outputs come unasked, so not over what the reader is trying out.
      const trying = page.querySelector('[data-edit], [data-busy], [data-shows="live"]');
      if (kind === 'reload' || (location.pathname.endsWith(`/lessons/${lesson}/`) && !trying)) location.reload();
    };
  }
  const button = page.querySelector<HTMLButtonElement>('[data-lab]');
  const lesson = button?.dataset.lab;
  if (!button || !lesson) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    button.disabled = true;
    button.textContent = 'JupyterLab is starting…';
    openLab(new URL('api/lab', root), lesson)
      .then((problem) => {
        button.textContent = problem || 'Open in JupyterLab';
      })
      .finally(() => {
        button.disabled = false;
      });
  });
}

/** The answer is what went wrong, empty if nothing did. */
async function openLab(address: URL, lesson: string): Promise<string> {
  const tab = window.open('', '_blank'); // at once: later the browser would take it for a pop-up
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Groundup-Token': token() },
      body: JSON.stringify({ lesson }),
    });
    const { url, error } = (await answer.json()) as { url?: string; error?: string };
    if (!url) throw new Error(error);
    if (tab) {
      tab.opener = null;
      tab.location.href = url;
    } else location.href = url;
    return '';
  } catch (error) {
    tab?.close();
    return (error instanceof Error && error.message) || 'groundup learn does not answer.';
  }
}
