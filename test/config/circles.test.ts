import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';

/** Which keys would burn with the house. */

interface Place {
  directory: string;
  stores: string[];
  host?: string;
}

function warnings(
  places: Record<string, Place>,
  keys: Record<string, string>,
  file = '/home/me/holdfast.yaml',
): string[] {
  const lines = [
    'hosts: { nas: {}, other: {} }',
    'resources:',
    ...Object.entries(places).map(
      ([name, { directory, host = 'nas' }]) => `  ${name}: { host: ${host}, directory: "${directory}" }`,
    ),
    'stores:',
    ...Object.entries(keys).map(
      ([name, key]) => `  ${name}: { restic: { repository: "/mnt/${name}", password: ${key} } }`,
    ),
    'jobs:',
    ...Object.entries(places).map(
      ([name, { stores }]) =>
        `  ${name}-job: { kind: restic-backup, resources: [${name}], stores: [${stores.join(', ')}] }`,
    ),
  ];
  const read = parseConfig(`${lines.join('\n')}\n`, file);
  assert.deepEqual(read.mistakes.map(renderMistake), []);
  return read.warnings.map((warning) => `${warning.key}: ${warning.message}`);
}

const outside = '{ file: /root/keys/outside }';
const inEtc = '{ file: /etc/holdfast/key }';

describe('a circle', () => {
  test('is a key that only its own store keeps', () => {
    const [only, ...more] = warnings({ etc: { directory: '/etc/', stores: ['usb'] } }, { usb: inEtc });
    assert.match(
      only ?? '',
      /^stores\.usb\.restic\.password: lies in "etc", which is kept only in this store itself/,
    );
    assert.match(only ?? '', /could be read only with the key/);
    assert.deepEqual(more, []);
  });

  test('is closed over two stores that keep the keys of each other', () => {
    const found = warnings(
      { etc: { directory: '/etc', stores: ['usb'] }, home: { directory: '/home/me', stores: ['b2'] } },
      { usb: '{ file: /home/me/usb.key }', b2: inEtc },
      '/opt/holdfast.yaml',
    );
    assert.deepEqual(
      found.map((line) => line.split(':')[0]),
      ['stores.usb.restic.password', 'stores.b2.restic.password'],
    );
  });

  test('is a credential as well as a password', () => {
    const text = `hosts: { nas: {} }
resources: { etc: { host: nas, directory: /etc } }
stores: { b2: { restic: { repository: "s3:x", password: ${outside}, env: { AWS_SECRET_ACCESS_KEY: { file: /etc/b2 } } } } }
jobs: { etc: { kind: restic-backup, resources: [etc], store: b2 } }
`;
    const { warnings } = parseConfig(text, '/opt/holdfast.yaml');
    assert.deepEqual(
      warnings.map(({ key }) => key),
      ['stores.b2.restic.env.AWS_SECRET_ACCESS_KEY'],
    );
  });

  test('shuts the configuration in that lies behind such a key', () => {
    const places = { etc: { directory: '/etc', stores: ['usb'] } };
    const [, file] = warnings(places, { usb: inEtc }, '/etc/holdfast/holdfast.yaml').sort().reverse();
    assert.match(
      file ?? '',
      /^resources\.etc\.directory: this file itself lies in "etc", kept only in "usb"/,
    );
    assert.deepEqual(warnings(places, { usb: outside }, '/etc/holdfast/holdfast.yaml'), []);
  });
});

describe('no circle', () => {
  const none = (places: Record<string, Place>, keys: Record<string, string>) =>
    assert.deepEqual(warnings(places, keys), []);

  test('is a key outside of every resource, or beside one whose name begins the same', () =>
    none({ etc: { directory: '/etc/hold', stores: ['usb'] } }, { usb: inEtc }));

  test('is a key that another store keeps too, which opens from outside', () =>
    none({ etc: { directory: '/etc', stores: ['usb', 'b2'] } }, { usb: inEtc, b2: outside }));

  test('is a chain that begins outside', () =>
    none(
      { etc: { directory: '/etc', stores: ['b2'] }, photos: { directory: '/srv', stores: ['usb'] } },
      { usb: inEtc, b2: outside },
    ));

  test('is a folder of the same name on another host', () =>
    none(
      {
        etc: { directory: '/etc', stores: ['b2'], host: 'other' },
        photos: { directory: '/srv', stores: ['usb'] },
      },
      { usb: inEtc, b2: outside },
    ));

  test('is a key that is no file', () =>
    none({ etc: { directory: '/etc', stores: ['usb'] } }, { usb: '{ command: [pass, show, usb] }' }));
});
