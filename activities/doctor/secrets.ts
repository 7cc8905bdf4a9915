import { dirname } from 'node:path';
import type { SecretFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { resolveSecret, type SecretPlace } from '../../system/secrets.js';
import { wordsOf } from './machine.js';

/** Whether a secret can be had now, and who else could have it. Its value is looked at and told to nobody. */
export async function lookAtSecret(host: Host, of: string, place: SecretPlace): Promise<SecretFacts> {
  return {
    of,
    place: placeOf(place),
    ...(await whyUnavailable(host, place)),
    ...('file' in place ? await exposureOf(host, place.file) : {}),
  };
}

function placeOf(place: SecretPlace): string {
  if ('env' in place) return `the variable ${place.env}`;
  return 'file' in place ? `the file ${place.file}` : `the program "${place.command[0]}"`;
}

async function whyUnavailable(host: Host, place: SecretPlace): Promise<Pick<SecretFacts, 'error'>> {
  try {
    await resolveSecret(host, place);
    return {};
  } catch (error) {
    return { error: wordsOf(error) };
  }
}

const othersRead = 0o004;
const othersEnter = 0o001;
const othersWrite = 0o022;

/** Who else can read or change the file; judged where it really lies. */
async function exposureOf(host: Host, file: string): Promise<Pick<SecretFacts, 'exposed'>> {
  try {
    const path = await host.realPath(file);
    const facts = await host.facts(path);
    if (!facts) return {};
    if (facts.mode & othersWrite) return { exposed: 'writable' };
    if (!(facts.mode & othersRead)) return {};
    return { exposed: (await isReachable(host, dirname(path))) ? 'readable' : 'hidden' };
  } catch {
    return {};
  }
}

async function isReachable(host: Host, folder: string): Promise<boolean> {
  const facts = await host.facts(folder);
  if (facts && !(facts.mode & othersEnter)) return false;
  return dirname(folder) === folder || isReachable(host, dirname(folder));
}
