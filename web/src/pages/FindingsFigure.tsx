/** The findings: the question, the answer, what the seeds gave beside the strongest rival, the verdict, the paper. */
import type { Finding, Findings } from '../data';
import { number } from '../render/numbers';

/** `paper`: whether the lesson has one, whose numbers then stand beside ours. */
export function FindingsFigure({ record, paper }: { record: Findings; paper: boolean }) {
  const holds = record.findings.filter((finding) => finding.verdict === 'holds').length;
  const { machine } = record;
  const bars = record.findings.some((finding) => finding.bar !== null);
  return (
    <figure className="findings" id="measured-findings" aria-label="Measured findings">
      <p className="findings-count">
        <b>
          {holds} of {record.findings.length}
        </b>{' '}
        findings hold. Each was measured in {record.seeds} runs, beside the strongest rival that we found.
      </p>
      <ol>
        {record.findings.map((finding) => (
          <FindingRow key={finding.name} finding={finding} seeds={record.seeds} paper={paper} />
        ))}
      </ol>
      <figcaption>
        <span className="legend" aria-hidden="true">
          <Key className="seed" /> one seed <Key className="rival" /> rival <Key className="median" /> median{' '}
          <Key className="interval" /> 95 % interval of the mean {bars && <Key className="bar" />}
          {bars && ' bar '}
          <Key className="held" /> where the finding holds
        </span>
        <HowToRead bars={bars} seeds={record.seeds} />
        <span>
          Measured on {longDate(record.date)} with NumPy {machine.numpy} on {machine.processor} ({machine.cores} cores,
          one thread a run), seeds 0–{record.seeds - 1}, {number(record.seconds)} s of processor time a run. The same
          again: <code>{record.command}</code>
        </span>
      </figcaption>
    </figure>
  );
}

function HowToRead({ bars, seeds }: { bars: boolean; seeds: number }) {
  return (
    <details className="how-to-read">
      <summary>How to read this</summary>
      <p>
        A seed is where the random numbers begin: each of the {seeds} runs starts from other parameters or data, and
        gives another number, a dot. A thin line leads from it to what the rival reached with the same seed. The
        interval is where the mean of very many seeds should lie: in 95 of 100 such experiments it does.
      </p>
      <p>
        {bars && 'The bar is what we asked for before we measured. '}A finding holds if every seed shows it, or if the
        intervals leave no doubt, and if the paired test below does not object. It holds <em>mostly</em> if only the
        median shows it, or if that test cannot tell: it is too close. Else it does not hold here, at this size, and we
        say why.
      </p>
      <p>
        A paired test (McNemar) looks at the examples that only one of two models gets right. If neither were better,
        these would fall to either side like tosses of a coin; p is how often a coin gives so uneven a count. Below 0.05
        we say that the test tells the two apart.
      </p>
    </details>
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
          {finding.verdict === 'not seen' && 'We expected: '}
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
/** The verdict, with how many of the seeds are for it. */
const WORDS = {
  holds: (count: number, seeds: number) => `Holds in ${count} of ${seeds} seeds`,
  mostly: (count: number, seeds: number) => `Mostly: in ${count} of ${seeds} seeds, too close to tell`,
  'not seen': (count: number, seeds: number) =>
    `Does not hold here: ${count === 0 ? 'in none' : `only in ${count}`} of ${seeds} seeds`,
};
const SENSES = { '<': 'below', '<=': 'at most', '>': 'above', '>=': 'at least' };
const CHANCE = 0.05;

function Verdict({ finding, seeds }: { finding: Finding; seeds: number }) {
  return (
    <span className="verdict">
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d={MARKS[finding.verdict]} />
      </svg>
      {WORDS[finding.verdict](finding.seeds_for, seeds)}
    </span>
  );
}

/** The median, its range, the bar, the rival and the difference, as one sentence each. */
function numbers(finding: Finding, values: number[]) {
  const show = shower(finding);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const same = values.length > 1 ? ' (the same with every seed)' : '';
  const range = low === high ? same : ` (the seeds: ${show(low)} to ${show(high)})`;
  const bar = finding.bar === null ? '' : `; the bar is ${SENSES[finding.sense]} ${show(finding.bar)}`;
  const unit = isShare(finding) ? finding.unit.replace(SHARE, '% of ') : finding.unit;
  return (
    <>
      <b>{show(finding.median)}</b>
      {`${unit && ` ${unit}`}${values.length > 2 ? ' in the median' : ''}${range}${bar}.`}
      {finding.rival_is && (
        <>
          {' '}
          Rival: <b>{show(finding.rival_median)}</b>
          {`${isShare(finding) ? ' %' : ''}, ${curly(finding.rival_is)}.${difference(finding)}`}
        </>
      )}
    </>
  );
}

/** What the finding has more or less than its rival, seed by seed. */
function difference(finding: Finding): string {
  if (!finding.difference) return '';
  const show = shower(finding);
  const [low, high] = finding.difference;
  const mean = (low + high) / 2;
  const points = isShare(finding) ? ' percentage points' : '';
  if (low === high)
    return ` With every seed it is ${low === 0 ? 'the same' : `${show(Math.abs(low))}${points} ${low < 0 ? 'less' : 'more'}`}.`;
  const side = (value: number) => (value < 0 ? 'less' : 'more');
  const [near, far] = [low, high].sort((a, b) => Math.abs(a) - Math.abs(b)) as [number, number];
  const doubt = low <= 0 && high >= 0 && finding.verdict !== 'holds' ? ', so it may be none' : '';
  const interval =
    low * high > 0
      ? `${show(Math.abs(near))} to ${show(Math.abs(far))} ${side(far)}`
      : `${show(Math.abs(low))} less to ${show(Math.abs(high))} more`;
  return ` Seed by seed it is ${show(Math.abs(mean))}${points} ${side(mean)} on average (95 % interval ${interval}${doubt}).`;
}

const SHARE = /^share of /;

const isShare = (finding: Finding) => SHARE.test(finding.unit);

/** Shares are shown as percentages, and what misses the bar by little with as many digits as that takes. */
function shower(finding: Finding): (value: number | null) => string {
  const factor = isShare(finding) ? 100 : 1;
  const bar = finding.bar === null ? null : factor * finding.bar;
  return (value) => {
    const text = number(value === null ? null : factor * value);
    if (value === null || bar === null || factor * value === bar || text !== number(bar)) return text;
    return Number((factor * value).toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 9 });
  };
}

/** The seed in the middle, by p, says whether the two can be told apart. */
function pairedTest(pairs: Finding['pairs']): string {
  const sorted = [...pairs].sort((a, b) => a.p - b.p);
  const lower = sorted[(sorted.length - 1) >> 1]?.p ?? 1;
  const upper = sorted[sorted.length >> 1]?.p ?? 1;
  const p = (lower + upper) / 2;
  const told = p < CHANCE ? 'tells the two apart' : 'cannot tell the two apart';
  return `Would other examples say so, too? A paired test (McNemar) on the ${number(pairs[0]?.of ?? null)} test examples of the median seed ${told}, ${p < 1e-4 ? 'p\u00a0<\u00a00.0001' : `p\u00a0=\u00a0${p.toPrecision(2)}`}.`;
}

/** All places are percentages, so that the drawing needs no script and takes any width. */
function Strip({ finding, values }: { finding: Finding; values: number[] }) {
  const rivals = finding.rivals.filter((value) => value !== null);
  const show = shower(finding);
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
  const label = `${values.map(show).join(', ')}; the finding holds ${upwards ? 'from' : 'up to'} ${show(bound)}${log ? '; logarithmic axis' : ''}`;
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
      {finding.values.map((value, seed) => {
        const rival = finding.rivals[seed] ?? null;
        return (
          value !== null &&
          rival !== null && <line key={seed} className="pair" x1={at(value)} x2={at(rival)} y1="20" y2="29" />
        );
      })}
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
        {show(smallest)}
      </text>
      {largest !== smallest && (
        <text x={at(largest)} y="49" textAnchor="end" dx="6">
          {show(largest)}
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
