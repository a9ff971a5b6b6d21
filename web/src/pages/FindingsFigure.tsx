/** The findings: the question, the answer, what the seeds gave beside the strongest rival, the verdict, the paper. */
import type { Finding, Findings } from '../data';
import { number } from '../render/numbers';

/** `paper`: whether the lesson has one, whose numbers then stand beside ours. */
export function FindingsFigure({ record, paper }: { record: Findings; paper: boolean }) {
  const holds = record.findings.filter((finding) => finding.verdict === 'holds').length;
  const { machine } = record;
  return (
    <figure className="findings" id="measured-findings" aria-label="Measured findings">
      <p className="findings-count">
        <b>
          {holds} of {record.findings.length}
        </b>{' '}
        findings hold, each measured with {record.seeds} seeds beside the strongest rival
      </p>
      <ol>
        {record.findings.map((finding) => (
          <FindingRow key={finding.name} finding={finding} seeds={record.seeds} paper={paper} />
        ))}
      </ol>
      <figcaption>
        <span className="legend" aria-hidden="true">
          <Key className="seed" /> one seed <Key className="median" /> median <Key className="interval" /> 95 % interval
          of the mean <Key className="bar" /> bar <Key className="rival" /> rival <Key className="held" /> where the
          finding holds
        </span>
        <span>
          Measured on {longDate(record.date)} with NumPy {machine.numpy} on {machine.processor} ({machine.cores} cores,
          one thread a run), seeds 0–{record.seeds - 1}, {number(record.seconds)} s of processor time a run. The same
          again: <code>{record.command}</code>
        </span>
      </figcaption>
    </figure>
  );
}

function FindingRow({ finding, seeds, paper }: { finding: Finding; seeds: number; paper: boolean }) {
  const values = finding.values.filter((value) => value !== null);
  return (
    <li className={CLASSES[finding.verdict]} id={`finding-${finding.name}`}>
      <div className="finding-text">
        <p className="question">{curly(finding.question)}</p>
        <p className="statement">
          <Verdict finding={finding} seeds={seeds} />
          {curly(finding.statement)}
        </p>
        <p className="numbers">{numbers(finding, values)}</p>
        {finding.pairs.length > 0 && <p className="numbers">{pairedTest(finding.pairs)}</p>}
        {paper && (
          <p className="numbers">
            <b>The paper:</b> {finding.paper ? curly(finding.paper) : 'reports nothing of the kind.'}
          </p>
        )}
        {finding.miss && (
          <p className="miss">
            <b>Why not:</b> {curly(finding.miss)}
          </p>
        )}
      </div>
      <Strip finding={finding} values={values} />
    </li>
  );
}

const CLASSES = { holds: 'holds', mostly: 'mostly', 'not seen': 'unseen' };
const MARKS = { holds: 'M3 8.5 6.5 12 13 4.5', mostly: 'M3 10c2-4 4-4 5-2s3 2 5-2', 'not seen': 'M4 4l8 8M12 4l-8 8' };
const WORDS = { holds: 'Holds', mostly: 'Mostly holds', 'not seen': 'Does not hold here' };
const SENSES = { '<': 'below', '<=': 'at most', '>': 'above', '>=': 'at least' };
const CHANCE = 0.05;

function Verdict({ finding, seeds }: { finding: Finding; seeds: number }) {
  return (
    <span className="verdict">
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d={MARKS[finding.verdict]} />
      </svg>
      {`${WORDS[finding.verdict]}: ${finding.seeds_for} of ${seeds} seeds`}
    </span>
  );
}

/** The median, its range, the bar, the rival and the difference, as one sentence each. */
function numbers(finding: Finding, values: number[]) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const same = values.length > 1 ? ' (the same with every seed)' : '';
  const range = low === high ? same : ` (the seeds: ${number(low)} to ${number(high)})`;
  const bar = finding.bar === null ? '' : `; the bar is ${SENSES[finding.sense]} ${number(finding.bar)}`;
  const apart = finding.difference
    ? `; the seeds put the mean difference between ${number(finding.difference[0])} and ${number(finding.difference[1])}`
    : '';
  return (
    <>
      <b>{number(finding.median)}</b>
      {`${finding.unit && ` ${finding.unit}`}${range}${bar}.`}
      {finding.rival_is && (
        <>
          {' '}
          Rival: <b>{number(finding.rival_median)}</b>
          {`, ${curly(finding.rival_is)}${apart}.`}
        </>
      )}
    </>
  );
}

/** The seed in the middle says whether the two can be told apart. */
function pairedTest(pairs: Finding['pairs']): string {
  const sorted = [...pairs].sort((a, b) => a.p - b.p);
  const lower = sorted[(sorted.length - 1) >> 1]?.p ?? 1;
  const upper = sorted[sorted.length >> 1]?.p ?? 1;
  const p = (lower + upper) / 2;
  const told = p < CHANCE ? 'tells them apart' : 'cannot tell them apart';
  return `Whether that would be so on other examples: from these ${pairs[0]?.of} a paired test (McNemar) ${told}, ${p < 1e-4 ? 'p < 0.0001' : `p = ${p.toPrecision(2)}`}.`;
}

/** All places are percentages, so that the drawing needs no script and takes any width. */
function Strip({ finding, values }: { finding: Finding; values: number[] }) {
  const rivals = finding.rivals.filter((value) => value !== null);
  const marks = [...values, ...rivals, ...(finding.bar === null ? [] : [finding.bar])];
  if (!values.length) return null;
  const smallest = Math.min(...marks);
  const largest = Math.max(...marks);
  const log = smallest > 0 && largest / smallest > 30;
  const scale = log ? Math.log10 : (value: number) => value;
  const reach = scale(largest) - scale(smallest) || 1;
  const percent = (value: number) => 6 + (88 * (scale(value) - scale(smallest))) / reach;
  const at = (value: number) => (largest === smallest ? '50%' : `${percent(value).toFixed(2)}%`);
  const upwards = finding.sense.startsWith('>');
  const bounds = [
    ...(finding.bar === null ? [] : [finding.bar]),
    ...(finding.rival_median === null ? [] : [finding.rival_median]),
  ];
  const bound = upwards ? Math.max(...bounds) : Math.min(...bounds);
  const edge = at(bound);
  const label = `${values.map(number).join(', ')}; the finding holds ${upwards ? 'from' : 'up to'} ${number(bound)}${log ? '; logarithmic axis' : ''}`;
  // An interval may reach beyond all marks, or below 0 on a logarithmic axis: it is cut where the drawing ends.
  const ends = largest === smallest ? null : finding.interval?.map((end) => (log && end <= 0 ? 0 : percent(end)));
  const [from, to] = (ends ?? []).map((end) => `${Math.min(100, Math.max(0, end)).toFixed(2)}%`);
  return (
    <svg className="strip" width="100%" height="56" role="img" aria-label={`Values of the seeds: ${label}`}>
      <rect
        className="held"
        x={upwards ? edge : '0'}
        y="8"
        width={upwards ? `${100 - Number.parseFloat(edge)}%` : edge}
        height="24"
      />
      <line className="axis" x1="0" x2="100%" y1="32" y2="32" />
      {ends && <line className="interval" x1={from} x2={to} y1="20" y2="20" />}
      {finding.bar !== null && <line className="bar" x1={at(finding.bar)} x2={at(finding.bar)} y1="4" y2="36" />}
      {rivals.map((value, index) => (
        <line key={index} className="rival" x1={at(value)} x2={at(value)} y1="20" y2="32" />
      ))}
      {finding.median !== null && (
        <line className="median" x1={at(finding.median)} x2={at(finding.median)} y1="9" y2="31" />
      )}
      {values.map((value, index) => (
        <circle key={index} className="seed" cx={at(value)} cy="20" r="4.5" />
      ))}
      <text
        x={at(smallest)}
        y="49"
        textAnchor={largest === smallest ? 'middle' : 'start'}
        dx={largest === smallest ? 0 : -6}
      >
        {number(smallest)}
      </text>
      {largest !== smallest && (
        <text x={at(largest)} y="49" textAnchor="end" dx="6">
          {number(largest)}
        </text>
      )}
      {log && (
        <text className="log" x="50%" y="49" textAnchor="middle">
          log
        </text>
      )}
    </svg>
  );
}

function Key({ className }: { className: string }) {
  return (
    <svg className="strip key" width="14" height="14" aria-hidden="true">
      {className === 'seed' && <circle className="seed" cx="7" cy="7" r="4.5" />}
      {className === 'held' && <rect className="held" width="14" height="14" />}
      {className === 'interval' && <line className="interval" x1="0" x2="14" y1="7" y2="7" />}
      {['median', 'bar', 'rival'].includes(className) && <line className={className} x1="7" x2="7" y1="0" y2="14" />}
    </svg>
  );
}

/** The text's apostrophes are curly too. */
function curly(text: string): string {
  return text.replace(/(?<=\w)'/g, '’');
}

function longDate(iso: string): string {
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
}
