import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

// The tests lie beside the other kinds of tests of the tree; what they import is installed here.
export default defineConfig({
  root: fileURLToPath(new URL('../../tests/browser', import.meta.url)),
  resolve: {
    alias: {
      'playwright-core': require.resolve('playwright-core'),
      '@axe-core/playwright': require.resolve('@axe-core/playwright'),
      vitest: fileURLToPath(new URL('./node_modules/vitest', import.meta.url)),
    },
  },
  cacheDir: fileURLToPath(new URL('./node_modules/.vite-browser', import.meta.url)),
  server: { fs: { strict: false } },
  test: {
    include: ['*.test.ts'],
    globalSetup: ['./setup.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One browser at a time: the services under test share the machine.
    fileParallelism: false,
    sequence: { concurrent: false },
  },
});
