import type { Host } from '../../system/host.js';

interface FindmntJson {
  filesystems?: { source?: string; uuid?: string | null; target?: string }[];
}

/** Which file system lies below a folder, and where it is mounted: by its UUID, because names of devices change with a restart. */
export async function mountedAt(host: Host, folder: string): Promise<string> {
  const args = ['--json', '--output', 'SOURCE,UUID,TARGET', '--target', folder];
  const { exitCode, stdout } = await host.run({ file: 'findmnt', args });
  if (exitCode !== 0) return `nothing at ${folder}`;
  // The last of several mounts on one place hides the others.
  const { source = '', uuid, target = '' } = (JSON.parse(stdout) as FindmntJson).filesystems?.at(-1) ?? {};
  return `${uuid ? `UUID=${uuid}` : source} at ${target}`;
}
