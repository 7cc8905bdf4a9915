import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../places.js';
import { sh } from '../shell.js';
import { updateOnce } from './apt.js';

/** What is newer in it than on the machine is taken from there: programs, and whole hosts. */
export const debian13 = {
  suite: 'trixie',
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
} as const;

async function knownMirror(): Promise<string | undefined> {
  const format = '$(ORIGIN) $(LABEL) $(REPO_URI)';
  const lines = await sh('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']);
  return lines
    .split('\n')
    .find((line) => line.startsWith('Debian Debian '))
    ?.split(' ')[2];
}

/** The address that apt already uses for Debian itself, so that a local mirror is used here too. Images come without lists. */
export async function mirror(): Promise<string> {
  const known = await knownMirror();
  if (known === undefined) await updateOnce();
  const address = known ?? (await knownMirror());
  if (address === undefined) throw new Error('apt knows no mirror of Debian here');
  return address;
}

/** Unpacks packages of Debian 13, or of another suite, into a folder, beside what is installed: nothing of the machine changes. */
export async function unpackDebian13(
  packages: readonly string[],
  folder: string,
  suite: string = debian13.suite,
): Promise<void> {
  if (onPath('apt-get') === undefined || onPath('dpkg') === undefined)
    throw new Error(`needs apt-get and dpkg to fetch ${packages.join(', ')} of ${suite}`);
  const work = join(folder, '.fetch');
  for (const part of ['lists/partial', 'cache/archives/partial', 'debs'])
    mkdirSync(join(work, part), { recursive: true });
  const source = `Types: deb\nURIs: ${await mirror()}\nSuites: ${suite}\nComponents: main\nSigned-By: ${debian13.keyring}\n`;
  writeFileSync(join(work, 'debian13.sources'), source);
  writeFileSync(join(work, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'debian13.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  await sh('apt-get', [...flags, 'update']);
  await sh('apt-get', [...flags, 'download', ...packages], { cwd: join(work, 'debs') });
  for (const file of readdirSync(join(work, 'debs')))
    await sh('dpkg', ['-x', join(work, 'debs', file), folder]);
}
