import { resolve } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import { sha256 } from '../../system/sha256.js';
import {
  defaultFolder,
  defaultKeyFile,
  defaultKnownHostsFile,
  type SshTarget,
} from '../../system/ssh-target.js';
import { shown } from '../jobs.js';

/** From "root@grogu:22" to what ssh is told; no ssh_config is read, as everywhere. Pure. */
export function sshTargetOf(
  place: string,
  {
    key,
    knownHosts,
    sudo,
  }: { key: string | undefined; knownHosts: string | undefined; sudo: readonly string[] },
): SshTarget {
  const [, user = 'root', bracketed, plain, port = '22'] =
    /^(?:([^@\s-][^@\s]*)@)?(?:\[([^\]\s]+)\]|([^@:\s-][^@:\s]*))(?::(\d{1,5}))?$/.exec(place) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new HoldfastError(
      'HF_USAGE',
      `--ssh takes [USER@]ADDRESS[:PORT], for example root@grogu, not "${shown(place)}"`,
    );
  return {
    name: nameOf(`${user}-${address}-${port}`),
    address,
    port: Number(port),
    user,
    keyFile: key === undefined ? defaultKeyFile() : resolve(key),
    knownHostsFile: knownHosts === undefined ? defaultKnownHostsFile() : resolve(knownHosts),
    sudo,
    folder: defaultFolder(user),
  };
}

/** Two machines must not share a name: what is known by it is reached once. fe80::1:2 and fe80:1::2 read alike without their colons. */
const nameOf = (text: string): string => {
  const words = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `ssh-${words.slice(0, 48)}-${sha256(text).slice(0, 8)}`;
};
