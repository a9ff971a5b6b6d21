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
      const [kind, rest = ''] = split(data);
      const here = location.pathname.endsWith(`/lessons/${rest}/`);
      // Outputs come unasked, so not over what the reader is trying out.
      const trying = page.querySelector('[data-edit], [data-busy], [data-shows="live"]');
      if (kind === 'trouble') note(page, 'This page is as it was: what was saved cannot be shown.', JSON.parse(rest));
      else if (kind === 'reload' || (here && !trying)) location.reload();
      else if (here) note(page, 'The outputs of this lesson have arrived: reload the page to see them.');
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

function split(message: string): [string, string?] {
  const space = message.indexOf(' ');
  return space < 0 ? [message] : [message.slice(0, space), message.slice(space + 1)];
}

/** A sentence at the foot of the page, and what went wrong word by word. */
function note(page: Document, words: string, trouble = ''): void {
  page.querySelector('.server-note')?.remove();
  const place = page.createElement('div');
  place.className = trouble ? 'server-note trouble' : 'server-note';
  place.setAttribute('role', 'alert');
  place.append(Object.assign(page.createElement('p'), { textContent: words }));
  if (trouble) place.append(Object.assign(page.createElement('pre'), { textContent: trouble }));
  page.body.append(place);
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
