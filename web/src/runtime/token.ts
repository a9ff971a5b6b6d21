// `groundup learn` opens the first page with #token=…; whoever knows it may run code, so it leaves the address bar at
// once, where it could be seen, bookmarked or shared.
const KEY = 'groundup:token';
/** For browsers that keep nothing. */
let inMemory = '';

/** Called once on every page, before anything else looks at the fragment. */
export function keepToken(): void {
  keep();
  // The address pasted into a tab that already shows the page only changes the fragment.
  addEventListener('hashchange', keep);
}

function keep(): void {
  const found = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (!found) return;
  inMemory = found;
  history.replaceState(history.state, '', location.pathname + location.search);
  try {
    localStorage.setItem(KEY, found);
  } catch {
    // it then holds for this page only
  }
}

export function token(): string {
  try {
    return localStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}
