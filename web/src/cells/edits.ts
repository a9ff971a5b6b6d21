// The reader's own versions of cells, kept on this device only.
import { keep } from '../storage';

export interface Edit {
  source: string;
  /** Hash of the lesson's text that was edited, to notice when the lesson has moved on. */
  of: string;
}

export const editsKey = (folder: string) => `groundup:edits:${folder}`;

/** Short and stable (FNV-1a, 32 bits): it only has to tell a changed text from the same one. */
export function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** Anything missing, foreign or broken counts as no edit. */
export function readEdits(folder: string): Map<string, Edit> {
  const edits = new Map<string, Edit>();
  try {
    const found: unknown = JSON.parse(localStorage.getItem(editsKey(folder)) ?? '{}');
    const cells = found && typeof found === 'object' && 'cells' in found ? found.cells : null;
    for (const [id, edit] of Object.entries((cells ?? {}) as Record<string, Partial<Edit> | null>)) {
      if (typeof edit?.source === 'string') edits.set(id, { source: edit.source, of: String(edit.of ?? '') });
    }
  } catch {
    // no storage in private mode, or no JSON in it
  }
  return edits;
}

/**
 * Changes some cells only, so that two tabs of one lesson do not undo each other; null takes an edit away.
 * Returns whether they are kept; if not, the page says so.
 */
export function writeEdits(folder: string, changes: Map<string, Edit | null>): boolean {
  const edits = readEdits(folder);
  for (const [id, edit] of changes) {
    if (edit) edits.set(id, edit);
    else edits.delete(id);
  }
  return keep(editsKey(folder), edits.size ? JSON.stringify({ version: 1, cells: Object.fromEntries(edits) }) : null);
}
