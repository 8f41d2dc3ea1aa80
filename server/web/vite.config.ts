// One application a build, each with a folder and a base of its own: PAGES=app (the companion) by default.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const pages = process.env.PAGES ?? 'app';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { version: string };
const server = process.env.WAYSTATION_URL ?? 'http://127.0.0.1:8080';
const proxy = { '/v1': { target: server, ws: true } };

export default defineConfig({
  root: here(pages),
  base: `/${pages}/`,
  define: { __APP_VERSION__: JSON.stringify(version) },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: here(`dist/${pages}`),
    emptyOutDir: true,
    target: ['chrome87', 'safari14'],
    cssTarget: ['chrome87', 'safari14'],
    // Small files stay files: the policy of the pages allows data: for pictures alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The chart's library, which reports alone load, is 540 kB; nothing else comes near.
    chunkSizeWarningLimit: 600,
  },
  server: { proxy },
  preview: { proxy },
});
