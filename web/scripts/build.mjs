/**
 * npm run build -- --data DATA --out OUT [--only FOLDER]… [--answer]
 *
 * The scripts and the renderer do not depend on DATA: they are built again only when the sources in web/ have changed.
 * With --only, the pages of some lessons are written into an OUT that a whole build has made before.
 * With --answer, lines on stdin say what to write: {only: null or some folders, what: as groundup.reader.makers has it}.
 * Each is answered by a line when it is done.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

process.env.NODE_ENV = 'production'; // React's and Vite's faster halves
const WEB = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = join(WEB, 'dist');
const PAGES = ['lesson', 'home', 'practice', 'notfound'];

/** A hash of everything in web/ that the bundles are made of. */
function sourceStamp() {
  const hash = createHash('sha256');
  const add = (path) => hash.update(`${path}\n`).update(readFileSync(join(WEB, path)));
  for (const entry of readdirSync(join(WEB, 'src'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) add(join(entry.parentPath.slice(WEB.length + 1), entry.name));
  }
  const others = ['scripts/build.mjs', 'vite.config.ts', 'package-lock.json'];
  const python = ['cells', 'runner'].map((name) => `../src/groundup/reader/${name}.py`); // Pyodide runs them
  for (const path of [...others, ...python]) add(path);
  return hash.digest('hex');
}

async function bundle() {
  const stamp = sourceStamp();
  const file = join(DIST, 'stamp');
  if (existsSync(file) && readFileSync(file, 'utf8') === stamp) return false;
  const { build } = await import('vite');
  await rm(DIST, { recursive: true, force: true });
  const entry = (name) => join(WEB, 'src/entries', `${name}.ts`);
  const theme = { input: entry('theme'), output: { format: 'iife', entryFileNames: 'assets/theme-[hash].js' } };
  await Promise.all([
    build({
      root: WEB,
      build: {
        outDir: join(DIST, 'client'),
        manifest: 'manifest.json',
        rolldownOptions: { input: Object.fromEntries(PAGES.map((name) => [name, entry(name)])) },
      },
    }),
    build({ root: WEB, build: { outDir: join(DIST, 'theme'), manifest: 'manifest.json', rolldownOptions: theme } }),
    build({ root: WEB, build: { outDir: join(DIST, 'server'), ssr: join(WEB, 'src/render/site.tsx') } }),
  ]);
  await writeFile(file, stamp);
  return true;
}

/** The files that each kind of page loads, from the bundler's manifests. */
async function builtAssets() {
  const manifest = await json(join(DIST, 'client/manifest.json'));
  const themes = Object.values(await json(join(DIST, 'theme/manifest.json')));
  const fonts = Object.values(manifest)
    .filter((chunk) =>
      /(?:source-serif-4-latin-wght-normal|jetbrains-mono-latin-wght-normal)\.woff2$/.test(chunk.src ?? ''),
    )
    .map((chunk) => chunk.file);
  const styles = (key, seen = new Set()) => {
    if (seen.has(key)) return [];
    seen.add(key);
    const chunk = manifest[key];
    return [...(chunk.imports ?? []).flatMap((name) => styles(name, seen)), ...(chunk.css ?? [])];
  };
  // What a script imports at once: told in the page, else the browser learns of it only from the script.
  const imported = (key) => (manifest[key].imports ?? []).flatMap((name) => [manifest[name].file, ...imported(name)]);
  const assets = PAGES.map((name) => {
    const key = `src/entries/${name}.ts`;
    const [script, modules] = [manifest[key].file, [...new Set(imported(key))]];
    return [name, { theme: themes[0].file, script, modules, styles: [...new Set(styles(key))], fonts }];
  });
  return Object.fromEntries(assets);
}

async function json(path) {
  return JSON.parse(await readFile(path, 'utf8'));
}

async function put(path, content) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** The renderer, and the files that its pages load. */
async function prepare() {
  const started = performance.now();
  const bundled = await bundle();
  const took = bundled ? `scripts ${seconds(started)} s` : 'scripts unchanged';
  const render = await import(pathToFileURL(join(DIST, 'server/site.js')).href);
  await render.startHighlighter();
  return { render, assets: await builtAssets(), took };
}

/** Writes all pages, or those of some lessons and what else `what` names. */
async function write({ render, assets, took }, data, out, only, what = '') {
  const started = performance.now();
  const site = await json(join(data, 'site.json'));
  const folders = only ?? site.lessons.map((lesson) => lesson.folder);
  const exercises = existsSync(join(data, 'practice.json')) ? await json(join(data, 'practice.json')) : [];
  const questions = existsSync(join(data, 'questions.json')) ? await json(join(data, 'questions.json')) : {};
  const read = (folder) => json(join(data, 'lessons', `${folder}.json`));
  const searched = async () =>
    render.buildSearchIndex(
      site,
      await Promise.all(site.lessons.map(({ folder }) => read(folder))),
      exercises,
      questions,
    );
  if (what === 'search') return put(join(out, 'search.json'), await searched());
  const pages = await Promise.all(folders.map(read));

  if (!only) {
    for (const name of ['assets', 'lessons', 'notebooks', 'practice'])
      await rm(join(out, name), { recursive: true, force: true });
  }
  await mkdir(out, { recursive: true });
  if (what !== 'text') {
    await cp(join(DIST, 'client/assets'), join(out, 'assets'), { recursive: true });
    await cp(join(DIST, 'theme/assets'), join(out, 'assets'), { recursive: true });
  }

  for (const page of pages) {
    const folder = join(out, 'lessons', page.lesson.folder);
    await put(join(folder, 'index.html'), render.lessonHtml(page, site, exercises, assets.lesson));
    await put(join(folder, 'cells.json'), JSON.stringify(render.cellSources(page)));
    const figures = join(data, 'lessons', page.lesson.folder, 'figures');
    await rm(join(folder, 'figures'), { recursive: true, force: true });
    if (existsSync(figures)) await cp(figures, join(folder, 'figures'), { recursive: true });
    for (const { file } of page.notebooks) await cp(join(data, 'notebooks', file), join(out, 'notebooks', file));
  }
  if (exercises.length)
    await put(join(out, 'practice/index.html'), render.practiceHtml(exercises, questions, site, assets.practice));
  if (what === 'text') return '';
  await put(join(out, 'way.json'), render.buildWay(site, exercises));
  if (exercises.length) {
    const grader = await readFile(join(data, 'practice.zip'));
    const zip = `assets/practice-${createHash('sha256').update(grader).digest('hex').slice(0, 8)}.zip`;
    await put(join(out, zip), grader);
    for (const [index, exercise] of exercises.entries()) {
      const folder = join(out, 'practice', exercise.name);
      await put(join(folder, 'index.html'), render.exerciseHtml(exercises, index, site, assets.practice, zip));
      await put(join(folder, 'solution.json'), JSON.stringify(render.solutionOf(exercise, site)));
    }
  }
  if (!only || what === 'front') {
    await cp(join(data, 'site.json'), join(out, 'site.json'));
    await cp(join(WEB, 'src/favicon.svg'), join(out, 'favicon.svg'));
    await put(join(out, 'index.html'), render.homeHtml(site, assets.home));
    await put(join(out, '404.html'), render.notFoundHtml(site, assets.notfound));
    await put(join(out, 'runtime.json'), JSON.stringify({ kind: 'none' }));
  }
  if (!only) await put(join(out, 'search.json'), await searched());
  return `${pages.length} lessons in ${seconds(started)} s (${took}) → ${out}`;
}

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string', multiple: true },
    answer: { type: 'boolean' },
  },
});
if (!options.data || !options.out) throw new Error('usage: npm run build -- --data DATA --out OUT [--only FOLDER]…');
const [data, out] = [resolve(options.data), resolve(options.out)];
if (options.answer) {
  let ready;
  for await (const line of createInterface({ input: process.stdin })) {
    const { only, what } = JSON.parse(line);
    try {
      ready ??= await prepare();
      if (what !== 'prepare') await write(ready, data, out, only, what);
      console.log('{}');
    } catch (error) {
      console.log(JSON.stringify({ error: String(error?.message ?? error) }));
    }
  }
} else console.log(await write(await prepare(), data, out, options.only));
