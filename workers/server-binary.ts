import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import { cacheFolder, findProgram } from '../system/environment.js';
import { run } from '../system/run.js';

/** The Temporal server for `up`, the demo and the tests: the CLI's binary holds the whole of it, Web UI included. */

/** Server 1.29.1, Web UI 2.42.1. Newer tags have a `replace` in their go.mod, which `go install` refuses. */
const goModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

const binFolder = (): string => join(cacheFolder(), 'bin');

/** HOLDFAST_TEMPORAL_BIN, then PATH, then our cache; nothing is fetched here. */
export function findServerBinary(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.HOLDFAST_TEMPORAL_BIN) return requireNamed(env.HOLDFAST_TEMPORAL_BIN);
  return findProgram('temporal') ?? findProgram(join(binFolder(), 'temporal')) ?? findDownloaded();
}

/** A name that was given and does not hold is a mistake to be told, not to be passed over. */
function requireNamed(path: string): string {
  const found = findProgram(path);
  if (found) return found;
  throw new HoldfastError(
    'HF_SERVER_BINARY_MISSING',
    `HOLDFAST_TEMPORAL_BIN names ${path}, which is not a program`,
  );
}

const downloadFolder = (): string => join(binFolder(), 'sdk-download');

function findDownloaded(): string | undefined {
  if (!existsSync(downloadFolder())) return undefined;
  const names = readdirSync(downloadFolder()).filter((name) => name.startsWith('temporal'));
  return names.map((name) => findProgram(join(downloadFolder(), name))).find((path) => path !== undefined);
}

/** Finds the server or gets it: the SDK's own download first, then a build with Go; `say` tells what takes so long. */
export async function ensureServerBinary(say: (line: string) => void): Promise<string> {
  const found = findServerBinary();
  if (found) return found;
  const fetched = (await download(say)) ?? (await buildWithGo(say));
  if (fetched) return fetched;
  throw new HoldfastError(
    'HF_SERVER_BINARY_MISSING',
    'No Temporal server: not in HOLDFAST_TEMPORAL_BIN, on PATH or in the cache, the download failed, and it could not be built (Go is not there, or the build failed)',
  );
}

/** The SDK knows where to download from, but only as part of starting a server of its own: that one is ended at once. */
async function download(say: (line: string) => void): Promise<string | undefined> {
  say('Downloading the Temporal server …');
  try {
    await mkdir(downloadFolder(), { recursive: true });
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: downloadFolder() } },
    });
    await server.teardown();
    return findDownloaded();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0]?.slice(0, 200) : '';
    say(`The download did not work: ${reason}`);
    return undefined;
  }
}

async function buildWithGo(say: (line: string) => void): Promise<string | undefined> {
  if (!findProgram('go')) return undefined;
  say('Building the Temporal server with Go; this takes some minutes, once …');
  await mkdir(binFolder(), { recursive: true });
  const env = { ...goEnvironment(), GOBIN: binFolder() };
  const built = await run({ file: 'go', args: ['install', goModule], env });
  const binary = join(binFolder(), 'temporal');
  if (built.exitCode !== 0 || !existsSync(binary)) {
    say(`The build failed: ${built.stderrTail.trim().split('\n').at(-1)}`);
    return undefined;
  }
  await chmod(binary, 0o755);
  return binary;
}

/** A machine's module proxy and caches are named in variables that other tools do not get. */
const goEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => /^(GO|CGO)/.test(entry[0]) && entry[1] !== undefined,
    ),
  );
