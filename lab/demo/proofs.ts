import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../test/support/compare.js';
import { resticPath } from '../places.js';
import type { Place } from './place.js';

export interface Snapshot {
  id: string;
  tags?: string[];
  paths: string[];
}

function restic({ s3, password }: Place, ...args: string[]): string {
  const env = {
    PATH: process.env.PATH,
    RESTIC_REPOSITORY: `s3:http://127.0.0.1:${s3.port}/${s3.bucket}`,
    RESTIC_PASSWORD: password,
    AWS_ACCESS_KEY_ID: s3.accessKey,
    AWS_SECRET_ACCESS_KEY: s3.secretKey,
  };
  return execFileSync(resticPath() ?? 'restic', ['--no-cache', '--no-lock', ...args], {
    env,
    encoding: 'utf8',
  });
}

/** The repository's own word, asked past Holdfast. */
export const snapshotsIn = (place: Place): Snapshot[] =>
  JSON.parse(restic(place, 'snapshots', '--json', '--tag', 'holdfast')) as Snapshot[];

export const locksIn = (place: Place): number =>
  restic(place, 'list', 'locks')
    .split('\n')
    .filter((line) => line !== '').length;

/** Every byte and every attribute, by a comparison that shares no code with Holdfast. */
export const compareWithSource = (place: Place): string[] => compareTrees(place.source, place.restored);

/** Files of ours that hold a secret in plain text; the keys' own folder and the source are not ours. */
export function leaksOfSecrets(place: Place): string[] {
  const secrets = [place.password, place.s3.secretKey].map((text) => Buffer.from(text));
  return filesBelow(place.state)
    .concat(join(place.folder, 'up.log'))
    .filter((path) => secrets.some((secret) => readFileSync(path).includes(secret)));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}
