import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  cached,
  clusterPath,
  onPath,
  program,
  temporalPath,
  versions,
  versitygwPath,
  webUiPath,
} from '../places.js';
import { announce, attempt, buildFolder, type Part, sh } from '../shell.js';
import { unpackDebian13 } from './debian13.js';

const cachedGo = cached('go', 'usr/lib/go-1.24/bin/go');

/** Go 1.21 and newer fetch the Go that a module asks for through the module proxy; older ones cannot build our parts. */
async function fetchesToolchains(go: string): Promise<boolean> {
  const minor = /go1\.(\d+)/.exec(await sh(go, ['version']))?.[1];
  return Number(minor) >= 21;
}

/** A Go compiler: the machine's own, else Debian 13's unpacked into the cache. */
export const ensureGo = (): Promise<Part> =>
  attempt(async () => {
    const own = onPath('go');
    if (own && (await fetchesToolchains(own))) return { path: own };
    if (program(cachedGo) === undefined) {
      announce('unpacking the Go compiler of Debian 13 into the cache');
      await buildFolder(cached('go'), async (folder) => {
        await unpackDebian13(['golang-1.24-go', 'golang-1.24-src'], folder);
        rmSync(join(folder, '.fetch'), { recursive: true, force: true });
      });
    }
    return program(cachedGo) ? { path: cachedGo } : { missing: 'no Go 1.21 or newer' };
  });

/** Builds a program from its source into the cache. */
async function goInstall(module: string, minutes: number, folder = cached('bin')): Promise<void> {
  const go = await ensureGo();
  if ('missing' in go) throw new Error(go.missing);
  mkdirSync(folder, { recursive: true });
  announce(`go install ${module} (about ${minutes} minutes on two cores)`);
  const env = { GOBIN: folder, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'auto' };
  await sh(go.path, ['install', module], { env, timeoutMs: 30 * 60_000 });
}

const ensureBuilt = (find: () => string | undefined, module: string, minutes: number): Promise<Part> =>
  attempt(async () => {
    if (find() === undefined) await goInstall(module, minutes);
    const path = find();
    return path ? { path } : { missing: `go install ${module} left no program` };
  });

/** The newest tags of its command line cannot be built with `go install` (their go.mod replaces a module). */
export const ensureTemporal = (): Promise<Part> =>
  ensureBuilt(temporalPath, `github.com/temporalio/cli/cmd/temporal@${versions.temporal}`, 4);

export const ensureVersitygw = (): Promise<Part> =>
  ensureBuilt(versitygwPath, `github.com/versity/versitygw/cmd/versitygw@${versions.versitygw}`, 2);

/** The server of docker-compose.yml and the tool that makes its databases: both of one version, in one folder. */
export const ensureCluster = (): Promise<Part> =>
  attempt(async () => {
    if (clusterPath() === undefined) {
      const source = (path: string): string => `go.temporal.io/server/cmd/${path}@${versions.cluster}`;
      await buildFolder(cached('temporal-server', versions.cluster), async (folder) => {
        await goInstall(source('tools/sql'), 3, folder);
        await goInstall(source('server'), 4, folder);
        renameSync(join(folder, 'sql'), join(folder, 'temporal-sql-tool'));
        renameSync(join(folder, 'server'), join(folder, 'temporal-server'));
      });
    }
    const path = clusterPath();
    return path ? { path } : { missing: 'the build left no server' };
  });

/** The Web UI of docker-compose.yml, with the template by which its image turns variables into settings. */
export const ensureWebUi = (): Promise<Part> =>
  attempt(async () => {
    if (webUiPath() === undefined) {
      const module = 'github.com/temporalio/ui-server/v2';
      await buildFolder(cached('temporal-ui', versions.webUi), async (folder) => {
        await goInstall(`${module}/cmd/server@${versions.webUi}`, 2, folder);
        renameSync(join(folder, 'server'), join(folder, 'temporal-ui'));
        const go = await ensureGo();
        if ('missing' in go) throw new Error(go.missing);
        const answer = await sh(go.path, ['mod', 'download', '-json', `${module}@${versions.webUi}`]);
        const { Dir: source } = JSON.parse(answer) as { Dir: string };
        mkdirSync(join(folder, 'config'));
        copyFileSync(join(source, 'config/docker.yaml'), join(folder, 'config/docker.yaml'));
      });
    }
    const path = webUiPath();
    return path ? { path } : { missing: 'the build left no Web UI' };
  });
