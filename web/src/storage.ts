// Keeps what the reader writes on this device. Where that fails, the page says so: nothing is lost without a word.

/** What could not be kept, by its key. */
const lost = new Set<string>();
let notice: HTMLElement | undefined;

const FULL = 'This browser’s storage for this site is full';
const FORBIDDEN = 'This browser does not let this site store anything';
const WHAT = 'what you write now lasts only as long as this page is open. Copy it before you leave.';

/** Stores a text, or removes it (null). Returns whether that was possible. */
export function keep(key: string, text: string | null): boolean {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    lost.delete(key);
  } catch (error) {
    lost.add(key);
    tell(isFull(error) ? FULL : FORBIDDEN);
  }
  if (!lost.size) {
    notice?.remove();
    notice = undefined;
    removeEventListener('beforeunload', ask);
  }
  return !lost.has(key);
}

export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

/** Whether what was written under this key is only in this page. */
export function isLost(key: string): boolean {
  return lost.has(key);
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function tell(why: string): void {
  if (notice) return;
  notice = document.createElement('p');
  notice.className = 'storage-notice';
  notice.setAttribute('role', 'alert');
  notice.textContent = `${why}: ${WHAT}`;
  document.body.append(notice);
  addEventListener('beforeunload', ask);
}
