// The settings as a small store: one value, changed by `change`, shared by the panel, the switch and other tabs.

import type { Settings } from './apply';
import { applySettings, DARK, readSettings, SETTINGS_KEY } from './apply';

let current: Settings | null = null;
const listeners = new Set<() => void>();

export function getSettings(): Settings {
  current ??= readSettings();
  return current;
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function show(settings: Settings): void {
  current = settings;
  applySettings(document, settings);
  for (const listener of listeners) listener();
}

/** Changes some settings: the page follows at once, and this device remembers them if it can. */
export function change(part: Partial<Settings>): void {
  const settings = { ...getSettings(), ...part };
  try {
    localStorage.setItem(SETTINGS_KEY, JSON.stringify(settings));
  } catch {
    // private mode: the setting lasts as long as the page
  }
  show(settings);
}

/** Follows the system's theme, and other tabs of this site. */
export function follow(): void {
  matchMedia(DARK).addEventListener('change', () => show({ ...getSettings() }));
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) show(readSettings()); // back from another page, which may have changed them
  });
  window.addEventListener('storage', (event) => {
    if (event.key === SETTINGS_KEY || event.key === null) show(readSettings());
  });
}
