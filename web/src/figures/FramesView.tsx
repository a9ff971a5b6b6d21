import { useRef, useState } from 'react';
import { show } from '../reading/zoom';

/** Pictures of one thing, one for each value of what `label` names. */
export interface Frames {
  label: string;
  values: string[];
  start: number;
  urls: string[];
  width: number;
  height: number;
}

/** One picture at a time and a slider over them. The build makes the same markup as the browser. */
export function FramesView({ frames, alt }: { frames: Frames; alt: string }) {
  const { label, values, urls, width, height } = frames;
  const [at, setAt] = useState(frames.start);
  const loaded = useRef(false);
  const value = values[at] ?? '';

  /** Before the slider moves, so that no picture is waited for. */
  const loadAll = () => {
    if (loaded.current) return;
    loaded.current = true;
    for (const url of urls) new Image().src = url;
  };

  return (
    <div className="frames">
      <button
        type="button"
        className="zoom-button"
        aria-label={`Enlarge: ${alt}`}
        onClick={(event) => show(document, event.currentTarget.firstElementChild as HTMLImageElement)}
      >
        <img src={urls[at]} alt={alt} width={width} height={height} loading="lazy" decoding="sync" />
      </button>
      <div className="frames-slider">
        <label>
          <span>{label}</span>
          <input
            type="range"
            min={0}
            max={values.length - 1}
            step={1}
            value={at}
            aria-valuetext={value}
            onPointerEnter={loadAll}
            onFocus={loadAll}
            onChange={(event) => setAt(Number(event.currentTarget.value))}
          />
        </label>
        <output style={{ minWidth: `${Math.max(...values.map((one) => one.length))}ch` }}>{value}</output>
      </div>
    </div>
  );
}
