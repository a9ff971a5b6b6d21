// The picture beside the opening words: a function and its derivative, the way every lesson writes them.

const ROWS = [
  { forward: 'x', backward: '∂L/∂x = Wᵀ (p − y)' },
  { forward: 'z = Wx + b', backward: '∂L/∂z = p − y' },
  { forward: 'p = softmax(z)', backward: '∂L/∂p = −y / p' },
  { forward: 'L = −y · log p', backward: '∂L/∂L = 1' },
];
const STEP = 64;
const LEFT = 96;
const RIGHT = 300;

export function ChainFigure() {
  const bottom = 54 + STEP * (ROWS.length - 1);
  return (
    <svg className="chain" viewBox={`0 0 410 ${bottom + 34}`} role="img" aria-labelledby="chain-title">
      <title id="chain-title">
        A linear layer, a softmax and a loss: values are computed downwards, gradients come back upwards.
      </title>
      <text className="chain-head chain-forward" x={LEFT} y="14">
        forward
      </text>
      <text className="chain-head chain-backward" x={RIGHT} y="14">
        backward
      </text>
      {ROWS.map(({ forward, backward }, row) => (
        <g key={forward} transform={`translate(0 ${54 + row * STEP})`}>
          <text x={LEFT}>{forward}</text>
          <text x={RIGHT}>{backward}</text>
          {row > 0 && (
            <>
              <path
                className="chain-forward"
                d={`M${LEFT} ${12 - STEP}V-24M${LEFT - 4} -30L${LEFT} -23L${LEFT + 4} -30`}
              />
              <path
                className="chain-backward"
                d={`M${RIGHT} -23V${13 - STEP}M${RIGHT - 4} ${20 - STEP}L${RIGHT} ${12 - STEP}L${RIGHT + 4} ${20 - STEP}`}
              />
            </>
          )}
        </g>
      ))}
      <path className="chain-turn" d={`M${LEFT + 62} ${bottom - 5}H${RIGHT - 56}`} />
    </svg>
  );
}
