import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { repositoryRoot } from '../../test/support/root.js';
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

export async function makePlace(folder: string, change: (file: Document) => void): Promise<Place> {
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
  writeFileSync(place.configFile, configuration(place, change));
  return place;
}

/** Slow enough that the kill comes in the middle, fast enough to watch. KiB/s. */
const uploadKiBps = 12_000;

/** The file of the README with this machine's paths and ports, and short times. */
function configuration(
  { folder, source, s3, port, uiPort }: Place,
  change: (file: Document) => void,
): string {
  const example = join(repositoryRoot, 'config/examples/photos-offsite.yaml');
  const file = parseDocument(readFileSync(example, 'utf8'));
  file.commentBefore =
    ' Made by "npm run demo": the example of the README with paths, ports and times of this demo.';
  file.setIn(['temporal', 'embedded'], { port, uiPort });
  file.setIn(['temporal', 'deadHostAfter'], '5s');
  file.deleteIn(['hosts', 'din']);
  file.setIn(['resources', 'photos', 'directory'], source);
  file.setIn(['resources', 'photos', 'least', 'bytes'], '100MiB');
  const store = ['stores', 'b2-photos', 'restic'];
  file.setIn([...store, 'repository'], `s3:http://127.0.0.1:${s3.port}/${s3.bucket}`);
  file.setIn([...store, 'password', 'file'], join(folder, 'keys/b2-photos.key'));
  file.setIn([...store, 'env', 'AWS_ACCESS_KEY_ID', 'file'], join(folder, 'keys/b2.id'));
  file.setIn([...store, 'env', 'AWS_SECRET_ACCESS_KEY', 'command'], ['cat', join(folder, 'keys/b2.secret')]);
  file.setIn([...store, 'limits'], { uploadKiBps });
  change(file);
  return file.toString({ lineWidth: 0 });
}
