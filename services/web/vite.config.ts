import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const gateway = process.env.PAGE_API ?? 'http://127.0.0.1:8080';
const proxied = { target: gateway, changeOrigin: true };

export default defineConfig({
  plugins: [svelte()],
  build: {
    // light-dark(), color-mix() and nesting as written; every evergreen browser since May 2024 has them.
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    cssTarget: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    // The policy of the page allows no data: scripts or styles, and a picture is cheap to fetch.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/api': proxied, '/docs': proxied } },
  preview: { host: '127.0.0.1', port: 4173, proxy: { '/api': proxied, '/docs': proxied } },
});
