import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { shareSilent } from '../../activities/snapraid/share.js';
import type { SnapraidArrayConfig } from '../../config/schema.js';
import { SnapraidArray } from '../../config/schema-array.js';
import { onPath } from '../../lab/places.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { needs } from '../support/needs.js';
import { type Samba, startSamba } from '../support/samba.js';
import { temporaryFolder } from '../support/temp.js';

/** The share of an array, asked for with the real smbclient at a real Samba. */

describe('the share of an array', { skip: needs('root', 'samba') }, () => {
  let samba: Samba;
  const calls = join(temporaryFolder(), 'calls');
  const said: string[] = [];
  const once = { tries: 1, betweenMs: 0 };

  function arrayWith(share: object) {
    const { array } = fakeArray();
    const config: SnapraidArrayConfig = SnapraidArray.parse({ share: { port: samba.port, ...share } });
    return { ...array, config, tools: { ...array.tools, log: (line: string) => void said.push(line) } };
  }
  const ask = (share: object, patience = once, after?: true): Promise<string | undefined> => {
    const array = arrayWith(share);
    return shareSilent(array, { ...array.input, ...(after && { after }) }, patience);
  };

  before(async () => {
    samba = await startSamba();
    const bin = temporaryFolder('bin');
    const real = onPath('smbclient');
    writeFileSync(calls, '');
    writeFileSync(join(bin, 'smbclient'), `#!/bin/sh\necho "$@" >> '${calls}'\nexec '${real}' "$@"\n`);
    chmodSync(join(bin, 'smbclient'), 0o755);
    process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;
  });
  after(() => samba?.stop());

  test('answers a guest, and a user whose password stands in a file', async () => {
    assert.equal(await ask({ samba: 'media' }), undefined);
    assert.equal(await ask({ samba: 'locked', credentials: samba.credentials }), undefined);
    assert.match(said.join('\n'), /share locked: answers \(smbclient\)/);
  });

  test('does not answer without its folder, without a right, or when there is none of that name', async () => {
    assert.match(
      (await ask({ samba: 'gone' })) ?? '',
      /gone at 127.* \(smbclient: NT_STATUS_BAD_NETWORK_NAME\)/,
    );
    assert.match((await ask({ samba: 'nobody has it' })) ?? '', /NT_STATUS_BAD_NETWORK_NAME/);
    assert.match((await ask({ samba: 'locked' })) ?? '', /NT_STATUS_ACCESS_DENIED/);
    const wrong = await ask({ samba: 'locked', credentials: samba.wrongCredentials });
    assert.match(wrong ?? '', /NT_STATUS_LOGON_FAILURE/);
    assert.match((await ask({ samba: 'locked', credentials: '/nowhere' })) ?? '', /smbclient: exit 1/);
  });

  test('no password is in a command line, in the log or in what is reported', () => {
    const all = `${readFileSync(calls, 'utf8')}${said.join('\n')}`;
    assert.match(all, /--authentication-file/);
    for (const secret of [samba.password, 'another word']) assert(!all.includes(secret));
  });

  test('is looked at by its port alone where smbclient is missing, and that is said', async () => {
    const array = arrayWith({ samba: 'gone' });
    const { host } = array.tools;
    const without = { ...array, tools: { ...array.tools, host: Object.create(host) } };
    without.tools.host.findProgram = async (name: string) =>
      name === 'smbclient' ? undefined : host.findProgram(name);
    assert.equal(await shareSilent(without, array.input, once), undefined);
    assert.match(said.join('\n'), /smbclient is not there; only its port is looked at/);
    await samba.stop();
    const words = await shareSilent(without, array.input, once);
    assert.match(
      words ?? '',
      /nothing takes connections at 127.0.0.1:\d+ \(looked at by port, without smbclient\)/,
    );
    await samba.start();
  });

  test('that is silent is told, or refuses the work before it begins, as the resource says', async () => {
    await samba.stop();
    assert.match((await ask({ samba: 'media' })) ?? '', /NT_STATUS_CONNECTION_REFUSED/);
    await assert.rejects(ask({ samba: 'media', silent: 'refuse' }), {
      code: 'HF_SOURCE_MISSING',
      message: /Nothing is begun with "media": the share media at .* does not answer/,
    });
    assert.match((await ask({ samba: 'media', silent: 'refuse' }, once, true)) ?? '', /does not answer/);
    await samba.start();
  });

  test('that was just given back gets a moment', async () => {
    await samba.stop();
    const asked = ask({ samba: 'media', silent: 'refuse' }, { tries: 40, betweenMs: 250 });
    await samba.start();
    assert.equal(await asked, undefined);
  });
});
