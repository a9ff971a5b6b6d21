import type { Site } from '../data';

/** What this site is and how to have it on one's own machine; every page's foot leads here. */
export function GetIt({ site }: { site: Site }) {
  return (
    <div className="front">
      <section aria-labelledby="get">
        <h2 id="get">Get groundup</h2>
        <p>
          groundup is free software: these pages, the code that they print, the exercises and their grader, and the
          commands that train every model and measure every finding. On your own machine all cells run, PyTorch’s too,
          with no limit and without a network. It needs Python 3.11 or newer:
        </p>
        <pre className="get-commands" tabIndex={0} role="region" aria-label="How to install groundup">
          {"pip install 'groundup[torch,lab]'\ngroundup learn"}
        </pre>
        {site.source && (
          <p>
            Its source is at <a href={site.source}>{site.source.replace(/^https?:\/\//, '')}</a>. Have you found a
            mistake, or does a sentence not make sense? Tell us there.
          </p>
        )}
      </section>
    </div>
  );
}
