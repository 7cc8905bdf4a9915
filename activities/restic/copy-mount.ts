import { basename } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import { nameFromLatin1 } from '../../system/file-names.js';
import type { Command } from '../../system/host.js';
import { quote } from '../../system/ssh-script.js';
import { getfattrOptions, getfattrReader, type NamedValue } from './attribute-text.js';
import { classify } from './classify.js';
import { mountVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';

/**
 * Reads what a copy says of its files through `restic mount`: names as bytes and attributes with their values, from the small parts of
 * the repository that a listing has read already, and none of the contents. One start of restic, however large the copy is.
 */

export interface MountQuestion {
  restic: Restic;
  snapshot: string;
  /** Absolute in the copy. */
  wanted: readonly string[];
  /** restic of this version shows the attributes of symbolic links. */
  tellsLinks: boolean;
  onName(path: string): void;
  onAttributes(path: string, values: NamedValue[]): void;
}

const exits = { notMounted: 71, notRead: 72 };

/** Undefined when all was told; else why not. An outage is thrown. */
export async function readThroughMount(question: MountQuestion): Promise<string | undefined> {
  const { restic, snapshot } = question;
  const { host, signal, lock, log, store } = restic;
  const place = `${host.stateFolder}/mounts/${basename(lock, '.lock')}`;
  const within = `${place}/ids/${snapshot}`;
  const read = reader(question, within);
  const {
    exitCode,
    stderrTail,
    signal: killed,
  } = await host.run(mountCommand(question, place, within), {
    signal,
    lock,
    log,
    bytes: true,
    onLine: (line, stream) => {
      if (stream === 'stdout') read.line(line);
    },
  });
  read.end();
  if (exitCode === 0) return undefined;
  if (exitCode === undefined)
    throw new HoldfastError('HF_TOOL_KILLED', `The mount of the copy was ended (${killed})`);
  const verdict = classify({ exitCode: 1, stderrTail, verb: 'mount', store });
  if (verdict instanceof HoldfastError && verdict.code === 'HF_STORE_UNREACHABLE') throw verdict;
  const last = stderrTail.trim().split('\n').at(-1) ?? '';
  const what =
    exitCode === exits.notRead ? 'the mount of the copy could not be read' : 'the copy could not be mounted';
  return `${what} (${last.slice(0, 120)})`;
}

/** All names first, each with a zero byte and a line break behind it, an empty one at their end; then what getfattr prints. */
function reader({ onName, onAttributes }: MountQuestion, within: string) {
  const inCopy = (path: string): string => path.slice(within.length) || '/';
  const attributes = getfattrReader((path, values) => onAttributes(inCopy(path), values));
  let pending = '';
  let isNames = true;
  return {
    line(line: string): void {
      if (!isNames) {
        attributes.line(line);
        return;
      }
      pending += line;
      if (!line.endsWith('\0')) {
        pending += '\n';
        return;
      }
      if (pending === '\0') isNames = false;
      else onName(inCopy(nameFromLatin1(pending.slice(0, -1))));
      pending = '';
    },
    end: (): void => attributes.end(),
  };
}

/**
 * A mount must not outlive who reads it, whatever is killed. The program that mounts, reads and unmounts is one; where it may, it takes a
 * mount namespace of its own, which ends with it, and in which nobody else sees the files of the copy.
 */
function mountCommand(question: MountQuestion, place: string, within: string): Command {
  const { restic, snapshot, wanted, tellsLinks } = question;
  const mount = resticCommand(restic.tool, restic.repository, mountVerb(place));
  const script = mountScript({
    place,
    mount: [mount.file, ...mount.args],
    types: tellsLinks ? 'f,d,l' : 'f,d',
  });
  const folders = wanted.map((path) => (path === '/' ? within : `${within}${path}`));
  const args = ['-c', alone, 'sh', 'sh', '-c', script, `restic mount of ${snapshot.slice(0, 8)}`, ...folders];
  return { file: 'sh', args, env: { ...mount.env, LC_ALL: 'C' }, stopSignal: 'SIGINT' };
}

const alone = 'unshare --mount true 2>/dev/null && exec unshare --mount "$@"; exec "$@"';

const mountScript = ({ place, mount, types }: { place: string; mount: string[]; types: string }): string => `
place=${quote(place)}
fusermount -u -z "$place" 2>/dev/null
mkdir -p -m 700 "$place" || exit ${exits.notMounted}
dies_with_us=$(command -v setpriv >/dev/null && echo 'setpriv --pdeathsig INT')
$dies_with_us ${mount.map(quote).join(' ')} >&2 &
mount=$!
end() {
  trap '' INT TERM HUP PIPE
  fusermount -u -z "$place" 2>/dev/null || kill -INT "$mount" 2>/dev/null
  wait "$mount"
  rmdir "$place"
}
trap end EXIT
trap 'exit 130' INT TERM HUP PIPE
is_alive() {
  read -r line 2>/dev/null <"/proc/$mount/stat" || return 1
  case "\${line##*) }" in Z*) return 1;; esac
}
until mountpoint -q "$place"; do
  is_alive || exit ${exits.notMounted}
  sleep 0.1
done
find "$@" -printf '%p\\0\\n' || exit ${exits.notRead}
printf '\\0\\n'
find "$@" -type ${types} -exec getfattr ${getfattrOptions.join(' ')} --match=- -- {} + || exit ${exits.notRead}
`;
