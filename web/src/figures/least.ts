import type { CSSProperties } from 'react';

/** Figures are drawn with text of 12 px: from three quarters of their width on it has 9. */
export function least(width?: number): CSSProperties {
  return width ? ({ '--least': `${Math.round(width * 0.75)}px` } as CSSProperties) : {};
}
