import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, type ResticName, resticPath, versions } from '../places.js';
import { announce, attempt, buildFolder, type Part, sh } from '../shell.js';
import { unpackDebian13 } from './debian13.js';
import { ensureGo } from './go.js';

/** Other restics than the machine's own: what we read from it must hold for all of them. */

type Other = Exclude<ResticName, 'system'>;

const ensure = (name: Other, make: (folder: string) => Promise<void>): Promise<Part> =>
  attempt(async () => {
    if (resticPath(name) === undefined) await buildFolder(cached('restic', versions.restic[name]), make);
    const path = resticPath(name);
    return path ? { path } : { missing: `no restic ${versions.restic[name]} came of it` };
  });

async function unpack(folder: string): Promise<void> {
  announce(`unpacking restic ${versions.restic['0.18']} of Debian 13 into the cache`);
  await unpackDebian13(['restic'], folder);
  renameSync(join(folder, 'usr/bin/restic'), join(folder, 'restic'));
  for (const rest of ['usr', '.fetch']) rmSync(join(folder, rest), { recursive: true, force: true });
}

/** What its own go.mod replaces: `go install` refuses a module that does, and a newer zstd than this damaged data in rare cases. */
const replaced: Partial<Record<Other, string>> = {
  '0.16': 'github.com/klauspost/compress=github.com/klauspost/compress@v1.17.2',
};

async function build(name: Other, folder: string): Promise<void> {
  const found = await ensureGo();
  if ('missing' in found) throw new Error(found.missing);
  const module = `github.com/restic/restic@v${versions.restic[name]}`;
  announce(`go build ${module} (about 1 minute on two cores)`);
  const env = { GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'auto' };
  const go = (...args: string[]): Promise<string> =>
    sh(found.path, args, { cwd: folder, env, timeoutMs: 30 * 60_000 });
  await go('mod', 'init', 'lab');
  if (replaced[name]) await go('mod', 'edit', `-replace=${replaced[name]}`);
  await go('get', module);
  await go('build', '-o', 'restic', 'github.com/restic/restic/cmd/restic');
  for (const rest of ['go.mod', 'go.sum']) rmSync(join(folder, rest), { force: true });
}

/** Every one of them, by the name that a test asks for. */
export const ensureOtherRestics = async (): Promise<Record<string, Part>> => ({
  'restic-0.16': await ensure('0.16', (folder) => build('0.16', folder)),
  'restic-0.17': await ensure('0.17', (folder) => build('0.17', folder)),
  'restic-0.18': await ensure('0.18', unpack),
});
