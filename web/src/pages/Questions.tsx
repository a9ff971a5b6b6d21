import type { Question } from '../data';

interface Props {
  questions: Question[];
  /** HTML of Markdown, with HTML disabled. */
  render(markdown: string): string;
  /** What the cards' ids begin with, if they have any. */
  id?: string;
}

/** Questions as cards; a click unfolds the answer. */
export function Questions({ questions, render, id }: Props) {
  return (
    <ul className="questions">
      {questions.map(({ question, answer }, index) => (
        <li key={question} id={id && `${id}-${index + 1}`} data-question={answer && ''}>
          {answer ? (
            <details>
              <summary dangerouslySetInnerHTML={{ __html: bare(render(question)) }} />
              <div dangerouslySetInnerHTML={{ __html: render(answer) }} />
            </details>
          ) : (
            <p dangerouslySetInnerHTML={{ __html: bare(render(question)) }} />
          )}
        </li>
      ))}
    </ul>
  );
}

/** The inside of a single paragraph. */
function bare(html: string): string {
  return /^<p>((?:(?!<p>)[\s\S])*)<\/p>\s*$/.exec(html)?.[1] ?? html;
}
