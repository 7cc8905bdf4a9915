import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/spawn.js';

/** Everything of one demo: it lies in one folder and is gone with it. */
export interface Place {
  folder: string;
  source: string;
  state: string;
  restored: string;
  s3: { folder: string; port: number; bucket: string; accessKey: string; secretKey: string };
  password: string;
  port: number;
  uiPort: number;
  configFile: string;
}

/** Texts that must not turn up in any log, history or output; the demo looks for them at its end. */
const password = 'demo-password-5b1c9e';
const secretKey = 'demo-s3-secret-8d2f47';

/** Below /tmp, because that is where a restore may write without being told. */
export async function makePlace(): Promise<Place> {
  const folder = mkdtempSync('/tmp/holdfast-demo-');
  const place: Place = {
    folder,
    source: join(folder, 'source', 'photos'),
    state: join(folder, 'state'),
    restored: join(folder, 'restored', 'photos'),
    s3: {
      folder: join(folder, 's3'),
      port: await freePort(),
      bucket: 'lab-photos',
      accessKey: 'KEYOFTHEDEMO',
      secretKey,
    },
    password,
    port: await freePort(),
    uiPort: await freePort(),
    configFile: join(folder, 'holdfast.yaml'),
  };
  for (const part of ['source/photos', 'state', 's3/buckets', 's3/metadata', 'keys'])
    mkdirSync(join(folder, part), { recursive: true });
  const secret = (name: string, text: string) =>
    writeFileSync(join(folder, 'keys', name), `${text}\n`, { mode: 0o600 });
  secret('b2-photos.key', password);
  secret('b2.id', place.s3.accessKey);
  secret('b2.secret', secretKey);
  writeFileSync(place.configFile, configuration(place));
  return place;
}

/** Slow enough that the kill comes in the middle, fast enough to watch. KiB/s. */
const uploadKiBps = 12_000;

const configuration = ({ folder, source, s3, port, uiPort }: Place): string => `\
# Made by "npm run demo": the file of the README with this machine's paths and ports, and short times.
temporal:
  namespace: holdfast
  embedded: { port: ${port}, uiPort: ${uiPort} }
  deadHostAfter: 5s                          # on a real estate: 10m
hosts:
  nas: {}
resources:
  photos: { host: nas, directory: ${source}, marker: .holdfast, least: { files: 1000, bytes: 100MiB } }
stores:
  b2-photos:
    restic:
      repository: s3:http://127.0.0.1:${s3.port}/${s3.bucket}
      password: { file: ${folder}/keys/b2-photos.key }
      env:
        AWS_ACCESS_KEY_ID: { file: ${folder}/keys/b2.id }
        AWS_SECRET_ACCESS_KEY: { command: [cat, ${folder}/keys/b2.secret] }
      limits: { uploadKiBps: ${uploadKiBps} }
jobs:
  photos-offsite:
    kind: restic-backup
    resources: [photos]
    exclude: ["*.tmp", "@eaDir"]
    store: b2-photos
    schedule: { cron: "30 3 * * *", timezone: Europe/Berlin, jitter: 5m, catchup: 12h }
    keep: { daily: 7, weekly: 5, monthly: 12, yearly: 3 }
    prune: { cron: "0 6 * * 0", maxUnused: 5% }
    check: { cron: "0 7 * * *", parts: 30 }
    objective: { rpo: 26h, check: 35d }
`;
