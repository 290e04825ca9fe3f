// Puts a .gz and a .br beside every text file of dist, for servers that send them as they are.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const LEAST_BYTES = 512;

let first = 0;
for (const name of await readdir(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!/\.(html|js|css|svg|json|txt)$/.test(name) || (await stat(path)).size < LEAST_BYTES) continue;
  const bytes = await readFile(path);
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  await writeFile(`${path}.br`, brotli);
  await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  if (name.endsWith('.js')) first += brotli.length;
}
console.log(`compressed script: ${(first / 1000).toFixed(1)} kB (brotli)`);
