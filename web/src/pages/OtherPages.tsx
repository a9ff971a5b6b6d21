import type { Site } from '../data';
import { GetIt } from '../home/GetIt';
import { HomePage } from '../home/HomePage';
import { type Assets, Shell } from './Shell';

export function Home({ site, assets }: { site: Site; assets: Assets }) {
  return (
    <Shell
      title="groundup: learn deep learning by building it"
      description="Famous papers, by hand in NumPy and again in PyTorch, with every finding measured."
      root="./"
      page="home"
      assets={assets}
      version={site.version}
    >
      <main id="text" className="home" tabIndex={-1}>
        <HomePage site={site} />
        <GetIt site={site} />
      </main>
    </Shell>
  );
}

/** A host serves this page at any depth, so it alone names the site's root absolutely; Python sets another base. */
export function NotFound({ site, assets }: { site: Site; assets: Assets }) {
  return (
    <Shell
      title="Not found · groundup"
      description="There is no such page."
      root="/"
      page="404"
      assets={assets}
      version={site.version}
    >
      <main id="text" className="notfound" tabIndex={-1}>
        <h1>There is no such page</h1>
        <p>
          It may have moved. All lessons are on the <a href="/">front page</a>.
        </p>
      </main>
    </Shell>
  );
}
