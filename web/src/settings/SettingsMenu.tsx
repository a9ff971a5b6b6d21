import { useId, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { ProgressActions } from '../progress/ProgressActions';
import type { Theme } from './apply';
import { SIZES } from './apply';
import { Choice } from './Choice';
import { change, getSettings, subscribe } from './store';

const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/** Letters that grow from step to step show what the choice does; the smallest stays readable. */
const STEPS = SIZES.map((size, step) => ({
  value: size,
  label: <span style={{ fontSize: `${0.8 + 0.16 * step}rem` }}>A</span>,
  spoken: `${Math.round(size * 100)} %`,
}));

/** A button and a popover: the browser closes it on Esc or a click elsewhere and gives the focus back. */
export function SettingsMenu() {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const settings = useSyncExternalStore(subscribe, getSettings);
  const panel = useRef<HTMLDivElement>(null);
  const place = () => {
    if (!button.current || !panel.current) return;
    const { bottom, right } = button.current.getBoundingClientRect();
    panel.current.style.top = `${Math.max(8, bottom + 10)}px`;
    panel.current.style.right = `${Math.max(8, document.documentElement.clientWidth - right)}px`;
  };
  useLayoutEffect(place, [settings.size]); // a new text size moves the button
  return (
    <>
      <button ref={button} type="button" className="settings-button" popoverTarget={id} title="Settings">
        <span aria-hidden="true">Aa</span>
        <span className="choice-hidden">Settings</span>
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="settings-panel"
        role="dialog"
        aria-label="Settings"
        onBeforeToggle={place}
      >
        <Choice legend="Theme" options={THEMES} value={settings.theme} onChange={(theme) => change({ theme })} />
        <Choice legend="Text size" options={STEPS} value={settings.size} onChange={(size) => change({ size })} />
        <div className="settings-progress">
          <p className="settings-title">Reading progress</p>
          <ProgressActions />
        </div>
      </div>
    </>
  );
}
