/**
 * Names the lines of code that the build has left without a name, to keep the page light: only those that equations
 * lead to have one from the start.
 */
export function nameLines(page: Document): void {
  const wanted = decodeURIComponent(location.hash.slice(1));
  let found = false;
  for (const code of page.querySelectorAll<HTMLElement>('.cell[data-cell] .cell-code pre:not(.torch-card pre)')) {
    const cell = code.closest<HTMLElement>('[data-cell]')?.dataset.cell;
    let number = Number(code.style.getPropertyValue('--from'));
    for (const line of code.querySelectorAll('.line')) {
      number += 1;
      if (line.id) continue;
      line.id = `${cell}-L${number}`;
      found ||= line.id === wanted;
    }
  }
  if (found) location.replace(location.href); // the browser has looked for it in vain
}
