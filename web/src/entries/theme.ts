/** Runs before the first paint: sets theme, size and track on <html> from what this device remembers. */
import { applySettings } from '../settings/apply';

applySettings(document);
