import type { Exercise } from '../data';

/** What goes in and what comes out, on small numbers: computed from the solution when the page was built. */
export function PracticeExample({ exercise }: { exercise: Exercise }) {
  const { value, upstream, gradients, random } = exercise.example;
  const given = Object.entries(exercise.example.arguments);
  const slopes = Object.entries(gradients);
  return (
    <section className="practice-example" aria-labelledby="example">
      <h3 id="example">An example</h3>
      <dl className="example-values">
        {given.map(([name, text]) => (
          <Row key={name} name={name} text={text} code />
        ))}
        <Row name={random ? 'gives, for one draw' : 'gives'} text={value} />
        {upstream && <Row name="upstream gradient" text={upstream} />}
        {slopes.map(([name, text]) => (
          <Row key={name} name={`gradient of ${name}`} text={text} />
        ))}
      </dl>
    </section>
  );
}

function Row({ name, text, code = false }: { name: string; text: string; code?: boolean }) {
  return (
    <div>
      <dt>{code ? <code>{name}</code> : name}</dt>
      <dd>
        <pre tabIndex={0} role="region" aria-label={name}>
          {text}
        </pre>
      </dd>
    </div>
  );
}
