/** The measured claims: for each what was said, what five seeds gave, and whether it held. */
import type { Claim, Claims } from '../data';
import { number } from '../render/numbers';

export function ClaimsFigure({ record }: { record: Claims }) {
  const met = record.claims.filter((claim) => claim.met).length;
  const { machine } = record;
  return (
    <figure className="claims" id="measured-claims" aria-label="Measured claims">
      <p className="claims-count">
        <b>
          {met} of {record.claims.length}
        </b>{' '}
        claims met, each measured with {record.seeds} seeds
      </p>
      <ol>
        {record.claims.map((claim) => (
          <ClaimRow key={claim.name} claim={claim} seeds={record.seeds} />
        ))}
      </ol>
      <figcaption>
        <span className="legend" aria-hidden="true">
          <Key className="seed" /> one seed <Key className="median" /> median <Key className="bar" /> bar{' '}
          <Key className="baseline" /> baseline <Key className="held" /> where the claim holds
        </span>
        <span>
          Measured on {longDate(record.date)} with NumPy {machine.numpy} on {machine.processor} ({machine.cores} cores,
          one thread a run), seeds 0–{record.seeds - 1}, {number(record.seconds)} s a run.
        </span>
      </figcaption>
    </figure>
  );
}

function ClaimRow({ claim, seeds }: { claim: Claim; seeds: number }) {
  const values = claim.values.filter((value) => value !== null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  return (
    <li className={claim.met ? 'met' : 'missed'} id={`claim-${claim.name}`}>
      <div className="claim-text">
        <p className="statement">
          <Verdict met={claim.met} />
          {curly(claim.statement)}
        </p>
        <p className="numbers">
          <b>{number(claim.median)}</b>
          {claim.unit && ` ${claim.unit}`}
          {low !== high && ` (${number(low)} to ${number(high)})`}
          {claim.bar !== null && `, must be ${SENSES[claim.sense]} ${number(claim.bar)}`}
          {claim.baseline_is &&
            `${claim.bar === null ? ', must be' : ' and'} ${BEATS[claim.sense]} ${number(claim.baseline_median)}: ${curly(claim.baseline_is)}`}
          . Held in {claim.seeds_met} of {seeds} seeds.
        </p>
        {!claim.met && claim.miss && (
          <p className="miss">
            <b>Why not:</b> {curly(claim.miss)}
          </p>
        )}
      </div>
      <Strip claim={claim} values={values} />
    </li>
  );
}

const SENSES = { '<': 'below', '<=': 'at most', '>': 'above', '>=': 'at least' };
const BEATS = { '<': 'below', '<=': 'no more than', '>': 'above', '>=': 'no less than' };

function Verdict({ met }: { met: boolean }) {
  return (
    <span className="verdict">
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d={met ? 'M3 8.5 6.5 12 13 4.5' : 'M4 4l8 8M12 4l-8 8'} />
      </svg>
      {met ? 'Met' : 'Missed'}
    </span>
  );
}

/** All places are percentages, so that the drawing needs no script and takes any width. */
function Strip({ claim, values }: { claim: Claim; values: number[] }) {
  const baselines = claim.baselines.filter((value) => value !== null);
  const marks = [...values, ...baselines, ...(claim.bar === null ? [] : [claim.bar])];
  if (!values.length) return null;
  const smallest = Math.min(...marks);
  const largest = Math.max(...marks);
  const log = smallest > 0 && largest / smallest > 30;
  const scale = log ? Math.log10 : (value: number) => value;
  const reach = scale(largest) - scale(smallest) || 1;
  const x = (value: number) => `${(6 + (88 * (scale(value) - scale(smallest))) / reach).toFixed(2)}%`;
  const at = (value: number) => (largest === smallest ? '50%' : x(value));
  const upwards = claim.sense.startsWith('>');
  const bounds = [
    ...(claim.bar === null ? [] : [claim.bar]),
    ...(claim.baseline_median === null ? [] : [claim.baseline_median]),
  ];
  const edge = at(upwards ? Math.max(...bounds) : Math.min(...bounds));
  const label = bounds.length
    ? `${values.map(number).join(', ')}; the claim holds ${upwards ? 'from' : 'up to'} ${number(upwards ? Math.max(...bounds) : Math.min(...bounds))}${log ? '; logarithmic axis' : ''}`
    : values.map(number).join(', ');
  return (
    <svg className="strip" width="100%" height="56" role="img" aria-label={`Values of the seeds: ${label}`}>
      {bounds.length > 0 && (
        <rect
          className="held"
          x={upwards ? edge : '0'}
          y="8"
          width={upwards ? `${100 - Number.parseFloat(edge)}%` : edge}
          height="24"
        />
      )}
      <line className="axis" x1="0" x2="100%" y1="32" y2="32" />
      {claim.bar !== null && <line className="bar" x1={at(claim.bar)} x2={at(claim.bar)} y1="4" y2="36" />}
      {baselines.map((value, index) => (
        <line key={index} className="baseline" x1={at(value)} x2={at(value)} y1="20" y2="32" />
      ))}
      {claim.median !== null && <line className="median" x1={at(claim.median)} x2={at(claim.median)} y1="9" y2="31" />}
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
      {['median', 'bar', 'baseline'].includes(className) && <line className={className} x1="7" x2="7" y1="0" y2="14" />}
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
