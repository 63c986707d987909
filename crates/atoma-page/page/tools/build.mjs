// Builds ../dist from the sources: index.html, scripts and a style sheet with hashed names. The same sources give the
// same bytes on every machine. With --check it writes nothing and fails if ../dist is not what the sources give.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  outdir: 'dist',
  format: 'esm',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
};

/** Bundles one entry. Gives its files, each under a name with the hash of its content. */
async function bundle(name, source, define = {}) {
  const { outputFiles } = await build({ ...options, entryPoints: { [name]: source }, define });
  return outputFiles.map(({ path, contents }) => {
    const extension = path.endsWith('.css') ? 'css' : 'js';
    const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12);
    return { extension, file: `${name}-${hash}.${extension}`, contents: Buffer.from(contents) };
  });
}

/** The files of the page by name. */
async function made() {
  const files = new Map();
  const [draw] = await bundle('draw', 'src/earnings/draw.ts');
  files.set(draw.file, draw.contents);
  let html = await readFile(`${root}src/index.html`, 'utf8');
  for (const { extension, file, contents } of await bundle('page', 'src/main.tsx', { DRAW_FILE: JSON.stringify(`/${draw.file}`) })) {
    files.set(file, contents);
    html = html.replace(`page.${extension}`, file);
  }
  files.set('index.html', Buffer.from(html));
  files.set('icon.svg', await readFile(`${root}src/icon.svg`));
  return files;
}

const files = await made();
if (process.argv.includes('--check')) {
  const committed = (await readdir(dist)).sort();
  const expected = [...files.keys()].sort();
  const differs = [];
  for (const name of new Set([...committed, ...expected])) {
    const wanted = files.get(name);
    const found = committed.includes(name) ? await readFile(dist + name) : undefined;
    if (!wanted || !found || !wanted.equals(found)) differs.push(name);
  }
  if (differs.length > 0) {
    console.error(`crates/atoma-page/dist is not what the sources give. Run 'npm run build'. Different: ${differs.join(', ')}`);
    process.exit(1);
  }
} else {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  for (const [name, contents] of files) await writeFile(dist + name, contents);
}
const total = [...files.values()].reduce((sum, contents) => sum + gzipSync(contents, { level: 9 }).length, 0);
for (const [name, contents] of files)
  console.log(`${name}  ${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} compressed`);
console.log(`total ${total} bytes compressed`);
if (total > 200_000) {
  console.error('The page must stay below 200 KB compressed.');
  process.exit(1);
}
