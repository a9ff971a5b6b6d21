import { useRef, useState } from 'react';
import { getProgress, storageNotice } from './store';
import { clearProgress, exportProgress, importProgress } from './transfer';
import './progress.css';

/** Reading is what finds out whether the storage works. */
function firstNotice(): string {
  getProgress();
  return storageNotice();
}

/** Export, import, and clear after a second look; what happened is said below, and to screen readers. */
export function ProgressActions() {
  const picker = useRef<HTMLInputElement>(null);
  const [sure, setSure] = useState(false);
  const [said, setSaid] = useState(firstNotice);
  return (
    <div className="progress-actions">
      <p>What you read and ran is remembered in this browser only. A file takes it elsewhere.</p>
      <div className="progress-buttons">
        <button type="button" onClick={() => setSaid(exportProgress())}>
          Export
        </button>
        <button type="button" onClick={() => picker.current?.click()}>
          Import…
        </button>
        <button type="button" onClick={() => setSure(true)} disabled={sure}>
          Clear…
        </button>
      </div>
      <input
        ref={picker}
        type="file"
        accept="application/json,.json"
        aria-label="Progress file to import"
        hidden
        onChange={async (event) => {
          const input = event.currentTarget;
          const file = input.files?.[0];
          if (file) setSaid(await importProgress(file));
          input.value = ''; // so that the same file can be chosen again
        }}
      />
      {sure && (
        <div className="progress-sure" role="group" aria-label="Confirm clearing">
          <p>Forget everything read and run on this device?</p>
          <div className="progress-buttons">
            <button
              type="button"
              // biome-ignore lint/a11y/noAutofocus: the question has just been asked for, and the careful answer gets the focus
              autoFocus
              onClick={() => setSure(false)}
            >
              Keep it
            </button>
            <button
              type="button"
              className="progress-danger"
              onClick={() => {
                setSure(false);
                setSaid(clearProgress());
              }}
            >
              Clear
            </button>
          </div>
        </div>
      )}
      <p className="progress-said" role="status">
        {said}
      </p>
    </div>
  );
}
