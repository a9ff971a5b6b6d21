import { useEffect, useState } from 'react';
import { copy } from './clipboard';

/** Says for a moment whether it worked, in its own name, so that everyone notices. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [result, setResult] = useState<boolean | null>(null);
  useEffect(() => {
    if (result === null) return;
    const timer = setTimeout(() => setResult(null), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  const name = result === null ? 'Copy' : result ? 'Copied' : 'Not copied';
  return (
    <button
      type="button"
      className="cell-button cell-copy"
      aria-label={result === null ? label : `${label}: ${name.toLowerCase()}`}
      onClick={() => void copy(text()).then(setResult)}
    >
      {name}
    </button>
  );
}
