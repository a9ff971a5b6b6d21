import type { KeyboardEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { type Engine, type Hit, MOST, marked } from './engine';

interface Props {
  root: string;
  load: () => Promise<Engine>;
  close: () => void;
}

const HINT = 'Searches text, headings, functions and papers.';

function found(asked: string, hits: number): string {
  if (hits === 0) return `Nothing found for “${asked}”.`;
  if (hits === MOST) return `The best ${MOST} results`;
  return hits === 1 ? '1 result' : `${hits} results`;
}

const optionId = (index: number): string => `search-hit-${index}`;

/** A field and what it finds: a combobox, so the focus stays in the field while the arrows choose. */
export function SearchDialog({ root, load, close }: Props) {
  const [engine, setEngine] = useState<Engine | null>(null);
  const [trouble, setTrouble] = useState('');
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    field.current?.focus();
    load().then(
      (made) => setEngine(() => made),
      () => setTrouble('The search could not be loaded: is the page still being served?'),
    );
  }, [load]);
  useEffect(() => {
    document.getElementById(optionId(chosen))?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const asked = query.trim();
  const hits = engine && asked ? engine(asked) : [];
  const status = trouble || (asked ? (engine ? found(asked, hits.length) : 'Loading…') : HINT);

  const press = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step && hits.length > 0) {
      event.preventDefault();
      setChosen((chosen + step + hits.length) % hits.length);
    }
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) document.getElementById(optionId(chosen))?.click();
  };

  return (
    <div className="search-panel">
      <div className="search-field">
        <input
          ref={field}
          type="text"
          enterKeyHint="go"
          role="combobox"
          aria-label="Search"
          aria-autocomplete="list"
          aria-expanded={hits.length > 0}
          aria-controls="search-hits"
          aria-activedescendant={hits.length > 0 ? optionId(chosen) : undefined}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          placeholder="softmax, causal mask, Vaswani…"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setChosen(0);
          }}
          onKeyDown={press}
        />
        <button type="button" onClick={close}>
          Esc<span className="search-hidden"> closes the search</span>
        </button>
      </div>
      <p className="search-status" role="status">
        {status}
      </p>
      <div className="search-hits" id="search-hits" role="listbox" aria-label="Results" hidden={hits.length === 0}>
        {hits.map((hit, index) => (
          <a
            key={hit.key}
            id={optionId(index)}
            role="option"
            aria-selected={index === chosen}
            tabIndex={-1}
            href={root + hit.url}
            onClick={close}
            onPointerMove={() => index !== chosen && setChosen(index)}
          >
            <HitView hit={hit} />
          </a>
        ))}
      </div>
    </div>
  );
}

function HitView({ hit }: { hit: Hit }) {
  const lesson = hit.others > 0 ? `${hit.lesson} and ${hit.others} more` : hit.lesson;
  const where = [hit.kind, lesson].filter(Boolean).join(' · ');
  return (
    <>
      <span className={hit.kind ? 'search-title search-name' : 'search-title'}>
        <Marked text={hit.title} words={hit.words} />
      </span>
      <span className="search-where">{where}</span>
      {hit.snippet && (
        <span className="search-snippet">
          <Marked text={hit.snippet} words={hit.words} />
        </span>
      )}
    </>
  );
}

function Marked({ text, words }: { text: string; words: string[] }) {
  return marked(text, words).map((piece, index) => (piece.mark ? <mark key={index}>{piece.text}</mark> : piece.text));
}
