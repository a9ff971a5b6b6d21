import { memo, useLayoutEffect } from 'react';
import { createPortal } from 'react-dom';
import { unfold } from '../reading/targets';
import { useAtom } from './atom';
import { CellBar } from './CellBar';
import { CellCode } from './CellCode';
import { CellStatus } from './CellStatus';
import { Help } from './Help';
import { type Lesson, runsElsewhere } from './lesson';
import { Output } from './Output';
import type { LiveCell } from './page';

/** Places in the page's HTML that a cell's pieces are drawn into. */
export interface Hosts {
  /** Under the toolbar. */
  top: HTMLElement;
  /** After the code. */
  edit: HTMLElement;
  /** Before the built output. */
  live: HTMLElement;
}

/** A cell costs its toolbar only, until someone touches it. */
export const CellView = memo(function CellView({
  cell,
  hosts,
  lesson,
}: {
  cell: LiveCell;
  hosts: Hosts;
  lesson: Lesson;
}) {
  const atom = lesson.state.cells.get(cell.id);
  if (!atom) throw new Error(`no state of cell ${cell.id}`);
  const { run, shows, line, edit, open, editing, elsewhere, help } = useAtom(atom);
  const kind = useAtom(lesson.state.kind);
  const { section, id } = cell;
  const busy = run !== null && run.phase !== 'done';

  useLayoutEffect(() => {
    section.toggleAttribute('data-edit', edit !== null || editing);
    if (edit !== null || open) unfold(hosts.edit); // what the reader has written does not hide
    section.toggleAttribute('data-busy', busy);
    // what is shown is not from this run, or not from the one that was just tried
    section.toggleAttribute('data-stale', run !== null && !run.fresh && (busy || shows === 'live'));
    section.dataset.shows = shows;
  }, [section, hosts, edit, open, editing, busy, run, shows]);
  useHeight(hosts.live, cell.output, busy);

  useLayoutEffect(() => {
    const element = line === null ? null : section.ownerDocument.getElementById(`${id}-L${line}`);
    element?.classList.add('line-error');
    return () => element?.classList.remove('line-error');
  }, [section, id, line]);

  return (
    <>
      {createPortal(<CellBar cell={cell} atom={atom} lesson={lesson} live={hosts.live} />, cell.actions)}
      {(open || edit !== null || elsewhere) &&
        createPortal(<CellCode cell={cell} atom={atom} lesson={lesson} />, hosts.edit)}
      {help &&
        createPortal(
          <Help why={cell.why} command={lesson.state.page.command} root={lesson.state.page.root} />,
          hosts.top,
        )}
      {(run || (edit !== null && cell.built && !runsElsewhere(cell, kind))) &&
        createPortal(
          <>
            <CellStatus cell={cell} atom={atom} lesson={lesson} />
            {run && shows === 'live' && run.blocks.length > 0 && (
              <div className="cell-output cell-live-output">
                <Output run={run} cell={cell} lesson={lesson} />
              </div>
            )}
          </>,
          hosts.live,
        )}
    </>
  );
});

/** While a cell runs, its output keeps the height it had, so that the text below stays where the reader is. */
function useHeight(live: HTMLElement, built: HTMLElement, busy: boolean): void {
  useLayoutEffect(() => {
    if (!busy) return;
    live.style.setProperty('--kept', `${live.offsetHeight + built.offsetHeight}px`);
    return () => {
      live.style.removeProperty('--kept');
    };
  }, [live, built, busy]);
}
