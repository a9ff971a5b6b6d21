import { CopyButton } from './CopyButton';

const NO_PYTHON = 'There is no Python behind this copy of the site.';

/** Why a cell does not run here, and where it does. */
export function Help({ why, command, root }: { why: string; command: string; root: string }) {
  return (
    <div className="cell-help">
      <p>
        {why || NO_PYTHON} With <a href={`${root}#get`}>groundup on your machine</a>, this command opens the lesson with
        cells that run there:
      </p>
      <Command text={`groundup learn ${command}`} />
      <p>And this one runs the lesson’s whole experiment in a terminal:</p>
      <Command text={`groundup run ${command}`} />
    </div>
  );
}

function Command({ text }: { text: string }) {
  return (
    <p className="cell-command">
      <code>{text}</code>
      <CopyButton label={`Copy ${text}`} text={() => text} />
    </p>
  );
}
