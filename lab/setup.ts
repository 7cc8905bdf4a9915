import { pathToFileURL } from 'node:url';
import { ensurePackages } from './parts/apt.js';
import { ensureCluster, ensureTemporal, ensureVersitygw, ensureWebUi } from './parts/go.js';
import { ensureNode } from './parts/node.js';
import { ensureOtherRestics } from './parts/restic.js';
import { ensureSnapraid } from './parts/snapraid.js';
import { ensureZfsImage } from './parts/zfs-image.js';
import { versions } from './places.js';
import { announce, type Part } from './shell.js';

export interface SetupOptions {
  /** Also what only `npm run test:full` uses: other Node versions, the server for a cluster. */
  all?: boolean;
  /** Also the two ZFS hosts, whose image takes 10 to 20 minutes where it was never built. */
  zfsHosts?: boolean;
}

/** Brings every part that is missing, says what, and answers what could not be had. Quick when all is there. */
export async function setUp(options: SetupOptions = {}): Promise<Record<string, Part>> {
  const startedAt = performance.now();
  const parts: Record<string, Part> = await ensurePackages();
  Object.assign(parts, await ensureOtherRestics());
  parts.temporal = await ensureTemporal();
  parts.versitygw = await ensureVersitygw();
  if (options.zfsHosts) parts['zfs-hosts'] = await ensureZfsImage();
  if (options.all) parts['temporal-cluster'] = await ensureCluster();
  if (options.all) parts['temporal-ui'] = await ensureWebUi();
  if (options.all) {
    parts['snapraid-12.4'] = await ensureSnapraid(versions.snapraid.debian13, 'trixie');
    parts['snapraid-14.9'] = await ensureSnapraid(versions.snapraid.next, 'forky');
  }
  if (options.all)
    for (const version of Object.values(versions.node)) parts[`node-${version}`] = await ensureNode(version);
  report(parts, (performance.now() - startedAt) / 1000);
  return parts;
}

function report(parts: Record<string, Part>, seconds: number): void {
  const missing = Object.entries(parts).filter(([, part]) => 'missing' in part);
  for (const [name, part] of missing)
    announce(`MISSING ${name}: ${'missing' in part ? part.missing : ''} -- what needs it is skipped`);
  const count = Object.keys(parts).length - missing.length;
  announce(`${count} of ${Object.keys(parts).length} parts are ready (${seconds.toFixed(1)} s)`);
}

// Only when started by itself: `npm run setup`.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await setUp({ all: true, zfsHosts: true });
