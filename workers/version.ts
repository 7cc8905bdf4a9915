import { createRequire } from 'node:module';

/** Of this Holdfast; dist/workers/version.js lies two folders below package.json. */
export const holdfastVersion = (createRequire(import.meta.url)('../../package.json') as { version: string })
  .version;
