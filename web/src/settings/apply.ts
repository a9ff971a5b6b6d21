// Settings of this device, put on <html> before the first paint (theme.ts runs this in <head>): no imports, no React.

export type Theme = 'system' | 'light' | 'dark';
export type Track = 'numpy' | 'torch' | 'both';

/** `track` stays empty until someone chooses: until then both are shown. */
export interface Settings {
  version: 1;
  theme: Theme;
  size: number;
  track?: Track;
}

export const SETTINGS_KEY = 'groundup:settings';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
export const SIZES: readonly number[] = [0.9, 1, 1.1, 1.25, 1.5];
export const TRACKS: readonly Track[] = ['numpy', 'torch', 'both'];
export const DARK = '(prefers-color-scheme: dark)';

/** What is remembered; anything missing, foreign or broken gives that setting's default. */
export function readSettings(): Settings {
  let found: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(localStorage.getItem(SETTINGS_KEY) ?? '{}');
    if (value !== null && typeof value === 'object') found = value as Record<string, unknown>;
  } catch {
    // no storage in private mode, or no JSON in it: the defaults serve
  }
  const track = TRACKS.find((known) => known === found.track);
  return {
    version: 1,
    theme: THEMES.find((known) => known === found.theme) ?? 'system',
    size: SIZES.find((known) => known === found.size) ?? 1,
    ...(track && { track }),
  };
}

/** Which track the page shows: the chosen one, or both. */
export function trackOf(settings: Settings): Track {
  return settings.track ?? 'both';
}

/** Sets data-theme, data-size (with --size) and data-track on <html>. */
export function applySettings(page: Document = document, settings: Settings = readSettings()): void {
  const root = page.documentElement;
  const dark = settings.theme === 'system' ? matchMedia(DARK).matches : settings.theme === 'dark';
  root.dataset.theme = dark ? 'dark' : 'light';
  root.dataset.size = String(settings.size);
  root.style.setProperty('--size', String(settings.size));
  root.dataset.track = trackOf(settings);
}
