// Progress as a file: out, in, and gone.

import { getProgress, lessonOf, merge, parseProgress, setProgress } from './store';

export const FILE_NAME = 'groundup-progress.json';

export function exportProgress(): string {
  const address = URL.createObjectURL(
    new Blob([`${JSON.stringify(getProgress(), null, 1)}\n`], { type: 'application/json' }),
  );
  const link = document.createElement('a');
  link.href = address;
  link.download = FILE_NAME;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // the browser reads the address after the click
  return `Saved as ${FILE_NAME}.`;
}

/** Adds what the file has read and run to what is here; answers with one sentence for the reader. */
export async function importProgress(file: File): Promise<string> {
  const theirs = parseProgress(await file.text().catch(() => ''));
  if (!theirs) return `${file.name} is not a progress file of this reader, so nothing was changed.`;
  const mine = getProgress();
  setProgress(merge(mine, theirs));
  const fresh = Object.entries(theirs.lessons).reduce((sum, [folder, lesson]) => {
    const known = new Set(lessonOf(mine, folder).read);
    return sum + lesson.read.filter((id) => !known.has(id)).length;
  }, 0);
  const added = `${fresh || 'No'} ${fresh === 1 ? 'section' : 'sections'}`;
  return `${added} added from ${file.name}; what you had is kept.`;
}

export function clearProgress(): string {
  setProgress({ version: 1, lessons: {}, last: null });
  return 'All progress on this device is cleared.';
}
