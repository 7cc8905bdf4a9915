import { basename } from 'node:path';

/** Names in our sense for what has other names: hosts, folders, repositories. Pure. */

const longest = 63;

/** "Büro NAS_2.lan" -> "buro-nas-2-lan"; `otherwise` when nothing is left. */
export function nameFrom(text: string, otherwise: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest)
    .replace(/^-+|-+$/g, '');
  return plain === '' ? otherwise : plain;
}

/** The first label of a machine's name. */
export const hostNameFrom = (hostname: string): string => nameFrom(hostname.split('.')[0] ?? '', 'this-host');

/** One name for each folder, no two the same. */
export function namesFrom(paths: readonly string[]): string[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const name = firstFree(nameFrom(basename(path), 'folder'), taken);
    taken.add(name);
    return name;
  });
}

function firstFree(name: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : joined(name, String(number));
    if (!taken.has(candidate)) return candidate;
  }
}

const joined = (first: string, last: string): string =>
  `${first.slice(0, longest - 1 - last.length)}-${last}`;

/** By where it is: a disk of this machine, or elsewhere. */
export const storeName = (repository: string): string => (isLocal(repository) ? 'disk' : 'remote');

/** restic takes a path as it is, and with "local:" before it. */
export const isLocal = (repository: string): boolean => /^(local:|\/)/.test(repository);

/** After the only resource, else after the machine. */
export const jobName = (resources: readonly string[], host: string, store: string): string =>
  joined(resources.length === 1 ? (resources[0] ?? host) : host, store);

interface Credential {
  variable: string;
  suffix: string;
}

/** restic's own names: https://restic.readthedocs.io/en/stable/030_preparing_a_new_repo.html */
const backends: Record<string, readonly Credential[]> = {
  s3: [
    { variable: 'AWS_ACCESS_KEY_ID', suffix: 'id' },
    { variable: 'AWS_SECRET_ACCESS_KEY', suffix: 'secret' },
  ],
  b2: [
    { variable: 'B2_ACCOUNT_ID', suffix: 'id' },
    { variable: 'B2_ACCOUNT_KEY', suffix: 'secret' },
  ],
  azure: [
    { variable: 'AZURE_ACCOUNT_NAME', suffix: 'id' },
    { variable: 'AZURE_ACCOUNT_KEY', suffix: 'secret' },
  ],
};

/** What the backend of a repository wants to be told besides the password. */
export function credentialVariables(repository: string): readonly Credential[] {
  const backend = /^([a-z0-9]+):/.exec(repository)?.[1] ?? '';
  return Object.hasOwn(backends, backend) ? (backends[backend] ?? []) : [];
}
