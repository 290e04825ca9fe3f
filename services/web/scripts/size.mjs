// Weighs the script that a first visit loads, and fails above the limit. Run after `npm run build`.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const LIMIT_KB = 200;
const dist = fileURLToPath(new URL('../dist/', import.meta.url));

const html = await readFile(`${dist}index.html`, 'utf8').catch(() => {
  console.error('There is no dist/index.html: run `npm run build` first.');
  process.exit(1);
});
const kilobytes = async (path) => brotliCompressSync(await readFile(dist + path)).length / 1000;
const first = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path);
const later = (await readdir(`${dist}assets`))
  .filter((name) => name.endsWith('.js') && !first.includes(`assets/${name}`))
  .map((name) => `assets/${name}`);

let total = 0;
for (const path of first) {
  const size = await kilobytes(path);
  total += size;
  console.log(`first load   ${size.toFixed(1).padStart(6)} kB  ${path}`);
}
for (const path of later)
  console.log(`when opened  ${(await kilobytes(path)).toFixed(1).padStart(6)} kB  ${path}`);
console.log(`first load: ${total.toFixed(1)} kB of compressed script (brotli), at most ${LIMIT_KB} kB`);
const eager = first.filter((path) => /GraphView|MapPage|CollectionPage|sigma/.test(path));
if (eager.length > 0) console.error(`These belong to what is opened later: ${eager.join(', ')}`);
if (total > LIMIT_KB) console.error(`That is ${(total - LIMIT_KB).toFixed(1)} kB too much.`);
process.exit(total > LIMIT_KB || eager.length > 0 ? 1 : 0);
