/** What all pages share: head, header, footer. */
import type { ReactNode } from 'react';

/** Addresses of the built files, relative to the site's root. */
export interface Assets {
  theme: string;
  script: string;
  /** What the script imports at once. */
  modules: string[];
  styles: string[];
  fonts: string[];
}

interface Props {
  title: string;
  description: string;
  /** From the page to the site's root: "../../", or the absolute base for 404.html. */
  root: string;
  page: 'lesson' | 'home' | 'practice' | '404';
  lesson?: string;
  /** The lesson has both tracks, so there is something to choose. */
  tracks?: boolean;
  assets: Assets;
  version: string;
  children: ReactNode;
}

export function Shell({ title, description, root, page, lesson, tracks, assets, version, children }: Props) {
  return (
    <html lang="en" data-theme="light" data-size="1" data-track="both">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <meta name="description" content={description} />
        <meta property="og:site_name" content="groundup" />
        <meta property="og:type" content={page === 'lesson' ? 'article' : 'website'} />
        <meta property="og:title" content={title} />
        <meta property="og:description" content={description} />
        <meta name="twitter:card" content="summary" />
        <link rel="icon" href={`${root}favicon.svg`} type="image/svg+xml" />
        <script src={root + assets.theme} />
        {assets.fonts.map((file) => (
          <link key={file} rel="preload" href={root + file} as="font" type="font/woff2" crossOrigin="anonymous" />
        ))}
        {assets.styles.map((file) => (
          <link key={file} rel="stylesheet" href={root + file} />
        ))}
        <script type="module" src={root + assets.script} />
        {assets.modules.map((file) => (
          <link key={file} rel="modulepreload" href={root + file} />
        ))}
      </head>
      <body data-root={root} data-page={page} data-lesson={lesson}>
        <a className="skip" href="#text">
          Skip to the text
        </a>
        <header className="site-header">
          <a className="wordmark" href={root}>
            ground<b>up</b>
          </a>
          <nav className="site-nav" aria-label="Site">
            <a href={`${root}#map`}>Lessons</a>
            <a href={`${root}practice/`}>Practice</a>
            {/* a script knows where it leads */}
            <a className="site-next" href={root} data-next="" hidden>
              Next
            </a>
          </nav>
          <div className="site-tools">
            <button type="button" className="search-button" data-search="">
              <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                <circle cx="7" cy="7" r="4.5" />
                <path d="M10.5 10.5 14 14" />
              </svg>
              <span>Search</span>
              <kbd>/</kbd>
            </button>
            {tracks && <TrackSwitch />}
            {/* filled by a script; the style sheet keeps its room, so that nothing jumps */}
            <div className="settings-slot" data-settings="" />
          </div>
        </header>
        {children}
        <footer className="site-footer">
          <p>
            groundup teaches deep learning by building it, by hand in NumPy and again in PyTorch.{' '}
            <a href={`${root}#get`}>Get it for your own machine</a>
          </p>
          <p>
            groundup {version}. Text and figures <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>,
            code <a href="https://opensource.org/license/mit">MIT</a>. What you read, run and change here stays on this
            device.
          </p>
        </footer>
      </body>
    </html>
  );
}

/** The settings script wakes these buttons. */
function TrackSwitch() {
  const button = (track: string, title: string) => (
    <button type="button" data-set-track={track}>
      {title}
    </button>
  );
  return (
    <div className="track-switch" role="group" aria-label="Show code in" data-track-switch="">
      {button('numpy', 'NumPy')}
      {button('torch', 'PyTorch')}
      {button('both', 'Both')}
    </div>
  );
}
