import { HoldfastError } from '../../contracts/errors.js';
import type { SnapraidCopiesReport } from '../../contracts/snapraid.js';
import type { Command, Host } from '../../system/host.js';
import { pipeAcross } from '../../system/pipe-across.js';
import { addEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import { placesOf } from './conf.js';

/**
 * What is needed to rebuild an array whose system disk is gone: snapraid.conf, fstab, which disk was which, and one list of files with
 * their hashes. One archive on another machine; the one before it is kept beside.
 */

export async function keepCopies(array: SnapArray): Promise<SnapraidCopiesReport> {
  const { tools, input } = array;
  const target = targetOf(array);
  if (!target) return { resource: input.resource, place: '' };
  const content = await firstContent(array);
  const identities = await writeIdentities(array);
  const files = [array.called.config, '/etc/fstab', identities, content];
  const there = await Promise.all(files.map((file) => tools.host.exists(file)));
  const wanted = files.filter((_, at) => there[at]);
  const archive = `${target.folder}/${input.resource}.tar`;
  await target.host.makeFolder(target.folder);
  const results = await pipeAcross(
    [
      { host: tools.host, command: packCommand(wanted) },
      { host: target.host, command: keepCommand(archive) },
    ],
    { signal: tools.signal, log: tools.log },
  );
  const failed = results.find(({ exitCode }) => exitCode !== 0);
  if (failed) throw notKept(array, target.host, failed.stderrTail);
  await compare(array, target.host, `${archive}.new`, content);
  await putInPlace(array, target.host, archive);
  const place = `${target.host.name}:${archive}`;
  await addEvidence(tools.host, { kind: 'array-copies', run: input.run, resource: input.resource, place });
  return { resource: input.resource, place };
}

/** The host that the file names, else the machine of the worker when that is another one than the array's. */
function targetOf({ tools, config, input }: SnapArray): { host: Host; folder: string } | undefined {
  const { host, machine } = tools;
  if (config.copies && machine) {
    const other = machine(config.copies.host);
    return { host: other, folder: config.copies.folder ?? `${other.stateFolder}/snapraid/${input.job}` };
  }
  if (host.remote === undefined) return undefined;
  return { host: host.driver, folder: `${host.driver.stateFolder}/snapraid` };
}

async function firstContent({ tools: { host }, conf, input }: SnapArray): Promise<string> {
  for (const file of conf.content) if (await host.exists(file)) return file;
  throw new HoldfastError(
    'HF_SOURCE_MISSING',
    `No content file of "${input.resource}" is there after its sync`,
  );
}

/** Device, file system and UUID of each disk, as the machine knows them. */
async function writeIdentities({ tools: { host }, conf, input }: SnapArray): Promise<string> {
  const lines: string[] = [];
  for (const { name, folder } of placesOf(conf)) {
    const args = ['--noheadings', '--output', 'SOURCE,FSTYPE,UUID,SIZE,TARGET', '--target', folder];
    const { stdout } = await host.run({ file: 'findmnt', args });
    lines.push(`${name} ${folder}: ${stdout.trim()}`);
  }
  const listed = await host.run({
    file: 'lsblk',
    args: ['--output', 'NAME,SIZE,MODEL,SERIAL,UUID,MOUNTPOINT'],
  });
  const file = `${host.stateFolder}/snapraid/${input.resource}.disks`;
  await host.makeFolder(`${host.stateFolder}/snapraid`);
  await host.writeFile(file, `${lines.join('\n')}\n\n${listed.stdout}`);
  return file;
}

const packCommand = (files: readonly string[]): Command => ({
  file: 'tar',
  args: ['--create', '--file=-', '--absolute-names', '--', ...files],
});

/** Beside the one before: that stays where it is until this one is compared. */
const keepCommand = (archive: string): Command => ({
  file: 'sh',
  args: ['-c', 'umask 077; cat > "$1.new" && sync -f "$1.new"', 'sh', archive],
});

/** Whole or not at all; what was there stays beside it. */
async function putInPlace({ tools, input }: SnapArray, target: Host, archive: string): Promise<void> {
  const script = '{ [ ! -e "$1" ] || ln -f "$1" "$1.previous"; } && mv -f "$1.new" "$1" && sync -f "$1"';
  const put = await target.run({ file: 'sh', args: ['-c', script, 'sh', archive] }, { signal: tools.signal });
  if (put.exitCode !== 0) throw notKept({ tools, input }, target, put.stderrTail);
}

/** tar and ssh can both end well with half an archive: the list of files is read back and must be what lies on the array. */
async function compare(
  { tools, input }: SnapArray,
  target: Host,
  archive: string,
  content: string,
): Promise<void> {
  const sumOf = (text: string): string => text.split(' ')[0] ?? '';
  const here = await tools.host.run({ file: 'sha256sum', args: ['--', content] }, { signal: tools.signal });
  const script = 'tar --extract --to-stdout --absolute-names --file="$1" -- "$2" | sha256sum';
  const there = await target.run(
    { file: 'sh', args: ['-c', script, 'sh', archive, content] },
    { signal: tools.signal },
  );
  const isSame = here.exitCode === 0 && there.exitCode === 0 && sumOf(here.stdout) === sumOf(there.stdout);
  if (!isSame) throw notKept({ tools, input }, target, 'the copy is not what lies on the array');
}

const notKept = ({ input }: Pick<SnapArray, 'tools' | 'input'>, target: Host, words: string): HoldfastError =>
  new HoldfastError(
    'HF_COPY_NOT_PROVED',
    `The lists of "${input.resource}" could not be copied to "${target.name}": ${words.trim().slice(-150)}`,
  );
