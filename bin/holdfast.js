#!/usr/bin/env node
// The compiled command line; `npm run build` makes it. Kept apart so that a checkout without a build says so.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('holdfast: not built yet: run "npm run build" in the checkout first\n');
  process.exit(2);
}
await import(main.href);
