import { useState } from 'react';

interface Found {
  code: string;
  why: string;
}

/** Once, when the section comes. */
const focus = (section: HTMLElement | null) => section?.focus({ preventScroll: true });

/** The solution comes over the wire only when it is asked for. `shown` is told before. */
export function Solution({ solved, shown }: { solved: boolean; shown(): void }) {
  const [found, setFound] = useState<Found>();
  const [trouble, setTrouble] = useState('');
  const show = async () => {
    try {
      const answer = await fetch('solution.json');
      if (!answer.ok) throw new Error();
      const solution = (await answer.json()) as Found;
      shown();
      setFound(solution);
      setTrouble('');
    } catch {
      setTrouble('The solution could not be loaded.');
    }
  };
  if (!found)
    return (
      <p className="practice-solution-button">
        <button type="button" className="cell-button" onClick={() => void show()}>
          {solved ? 'Show the solution and why it is right' : 'Give up and show the solution'}
        </button>
        <span role="status">{trouble}</span>
      </p>
    );
  return (
    <section className="practice-solution" aria-labelledby="solution" ref={focus} tabIndex={-1}>
      <h2 id="solution">Solution</h2>
      {/* safe: both were made by the build from the library's source and the exercise's Markdown */}
      <div dangerouslySetInnerHTML={{ __html: found.code }} />
      <h3>Why it is right</h3>
      <div className="prose">
        <div dangerouslySetInnerHTML={{ __html: found.why }} />
      </div>
    </section>
  );
}
