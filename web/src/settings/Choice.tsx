import type { ReactNode } from 'react';
import { useId } from 'react';

interface Option<T> {
  value: T;
  label: ReactNode;
  /** What a screen reader says, where the label alone does not tell. */
  spoken?: string;
}

interface Props<T> {
  legend: string;
  /** The legend is for screen readers only. */
  quiet?: boolean;
  options: readonly Option<T>[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, as a row of radio buttons: arrow keys, roles and names come from the browser. */
export function Choice<T extends string | number>({ legend, quiet, options, value, onChange }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className={quiet ? 'choice-hidden' : undefined}>{legend}</legend>
      <div className="choice-row">
        {options.map((option) => (
          <label key={option.value} title={option.spoken}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
              aria-label={option.spoken}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
