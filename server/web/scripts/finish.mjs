// The last steps of a build: for the companion the service worker that makes it open without a network, and
// beside each file its compressed forms, which the server hands out as they are. Usage: finish.mjs NAME

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { generateSW } from 'workbox-build';

const name = process.argv[2];
const dist = fileURLToPath(new URL(`../dist/${name}/`, import.meta.url));
const COMPRESSED = /\.(html|js|css|svg|json|webmanifest)$/;
// What is smaller fits a packet as it is.
const LEAST_BYTES = 400;

// The office works on what the server holds: without a network it has nothing to show.
if (name === 'app') await keepForOffline();

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !COMPRESSED.test(entry.name)) continue;
  const path = `${entry.parentPath ?? entry.path}/${entry.name}`;
  const bytes = readFileSync(path);
  if (bytes.length < LEAST_BYTES) continue;
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
}
console.log(`${name}: built into ${dist}`);

async function keepForOffline() {
  const { count, size, warnings } = await generateSW({
    globDirectory: dist,
    globPatterns: ['**/*.{html,js,css,svg,png,webmanifest}'],
    swDest: `${dist}sw.js`,
    // Names in assets/ hold a hash of their content.
    dontCacheBustURLsMatching: /assets\//,
    navigateFallback: `/${name}/index.html`,
    navigateFallbackAllowlist: [new RegExp(`^/${name}/`)],
    cleanupOutdatedCaches: true,
    // A new version waits until the page asks for it.
    skipWaiting: false,
    clientsClaim: true,
    inlineWorkboxRuntime: true,
    sourcemap: false,
    mode: 'production',
    modifyURLPrefix: { '': `/${name}/` },
  });
  for (const warning of warnings) console.warn(warning);
  console.log(`${name}: ${count} files kept for use without a network, ${Math.round(size / 1024)} KiB`);
}
