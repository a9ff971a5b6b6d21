import { defineConfig, type Plugin } from 'vite';

/** KaTeX's style sheet names each font in three formats; every browser that runs the reader takes woff2. */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform: {
      filter: { id: /katex(\.min)?\.css/ },
      handler: (css) => css.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'][^"']*["']\)/g, ''),
    },
  };
}

export default defineConfig({
  base: './',
  logLevel: 'warn',
  plugins: [woff2Only()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { bundlerTimings: false } }, // a slow machine is nothing to warn a reader of
  },
});
