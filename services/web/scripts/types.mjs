// Writes src/lib/api/schema.d.ts from the gateway's OpenAPI document; with --check it only compares.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const document = new URL('../../search-gateway/openapi.json', import.meta.url);
const target = new URL('../src/lib/api/schema.d.ts', import.meta.url);
const header = '// Generated from services/search-gateway/openapi.json by `npm run types`. Do not edit.\n\n';

const types = header + astToString(await openapiTS(JSON.parse(await readFile(document, 'utf8'))));

if (process.argv.includes('--check')) {
  const current = await readFile(target, 'utf8').catch(() => '');
  if (current !== types) {
    console.error("src/lib/api/schema.d.ts is not what the gateway's document gives: run `npm run types`.");
    process.exit(1);
  }
} else {
  await writeFile(target, types);
}
