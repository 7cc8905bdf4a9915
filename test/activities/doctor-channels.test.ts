import assert from 'node:assert/strict';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookAtChannels } from '../../activities/doctor/channels.js';
import type { ChannelFacts } from '../../contracts/doctor.js';
import { localHost } from '../../system/local-host.js';
import { configOf } from '../schedules/example.js';
import { temporaryFolder } from '../support/temp.js';

/** What a host has of what its channels need, looked for on this machine; nothing is sent. */

const secret = 'tk-correct-horse-battery';

async function look(notifications: Record<string, unknown>, name = 'nas'): Promise<ChannelFacts[]> {
  const file = { hosts: { nas: {}, grogu: {} }, resources: {}, stores: {}, jobs: {}, notifications };
  const host = localHost({ name, stateFolder: temporaryFolder() });
  const found = await lookAtChannels(host, configOf(JSON.stringify(file)));
  assert(!JSON.stringify(found).includes(secret), 'the secret is in the answer');
  return found;
}

test('each reference of each kind of channel is tried, and its value is not told', async () => {
  const folder = temporaryFolder();
  const key = join(folder, "key 'é");
  writeFileSync(key, `${secret}\n`, { mode: 0o600 });
  const [phone, mail, hook] = await look({
    phone: { ntfy: { url: 'https://ntfy.example/x', token: { file: key } }, host: 'nas' },
    mail: {
      mail: {
        smtp: { host: 'mail.example', user: 'me', password: { env: 'HF_TEST_NO_SUCH_VARIABLE' } },
        from: 'a@example.org',
        to: ['b@example.org'],
      },
      host: 'nas',
    },
    hook: {
      webhook: {
        url: { file: join(folder, 'gone') },
        headers: {
          'X-Plain': 'holdfast',
          'X-Key': { command: ['sh', '-c', `echo ${secret} | tee /dev/stderr; exit 3`] },
        },
      },
      host: 'nas',
    },
  });
  assert.deepEqual(phone, { channel: 'phone', secrets: [{ of: 'token', place: `the file ${key}` }] });
  assert.match(mail?.secrets[0]?.error ?? '', /HF_TEST_NO_SUCH_VARIABLE.* is not set for the worker/);
  assert.deepEqual(
    hook?.secrets.map(({ of }) => of),
    ['url', 'X-Key'],
  );
  assert.match(hook?.secrets[0]?.error ?? '', /cannot be read \(ENOENT\)/);
  assert.match(hook?.secrets[1]?.error ?? '', /The command "sh".* failed with 3/);
});

test('a secret that everybody can read is told as such', async () => {
  const folder = temporaryFolder();
  const key = join(folder, 'key');
  writeFileSync(key, secret);
  chmodSync(key, 0o644);
  const [phone] = await look({
    phone: { ntfy: { url: 'https://ntfy.example/x', token: { file: key } }, host: 'nas' },
  });
  // Whether the folders around it keep others out is the machine's business.
  assert(['readable', 'hidden'].includes(phone?.secrets[0]?.exposed ?? ''));
});

test('a program that is missing or may not be run is told, one that is there is not started', async () => {
  const folder = temporaryFolder();
  const [there, locked] = [join(folder, '-there it is'), join(folder, 'locked')];
  writeFileSync(there, `#!/bin/sh\ntouch '${join(folder, 'started')}'\n`, { mode: 0o755 });
  writeFileSync(locked, '#!/bin/sh\n', { mode: 0o644 });
  const found = await look({
    a: { command: [there], host: 'nas' },
    b: { command: [locked], host: 'nas' },
    c: { command: ['no-such-program-of-ours'], host: 'nas' },
  });
  assert.deepEqual(
    found.map(({ missingProgram }) => missingProgram),
    [undefined, locked, 'no-such-program-of-ours'],
  );
  assert.equal(existsSync(join(folder, 'started')), false);
});

test('a host looks only at the channels that it sends through', async () => {
  const channels = { a: { command: ['sh'], host: 'nas' }, b: { command: ['sh'], host: 'grogu' } };
  const names = (found: ChannelFacts[]): string[] => found.map(({ channel }) => channel);
  assert.deepEqual(names(await look(channels)), ['a']);
  assert.deepEqual(names(await look(channels, 'grogu')), ['b']);
});
