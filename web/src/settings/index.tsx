import { createRoot } from 'react-dom/client';
import { SettingsMenu } from './SettingsMenu';
import { follow } from './store';
import { wakeTracks } from './tracks';
import './settings.css';

/** Wakes the settings menu ([data-settings]) and the track switch ([data-track-switch]) in the header. */
export function mountSettings(page: Document): void {
  follow();
  wakeTracks(page);
  const menu = page.querySelector('[data-settings]');
  if (menu) createRoot(menu).render(<SettingsMenu />);
}
