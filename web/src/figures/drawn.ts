/** The SVG of figures that cells have drawn on this page, by the address of the image that shows it. */
export const drawn = new Map<string, string>();
