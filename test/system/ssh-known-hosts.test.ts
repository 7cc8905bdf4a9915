import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { fingerprintOf, judgeHostKey, knownKeys, preferKnown } from '../../system/ssh-known-hosts.js';

/** A key of the kind with some bytes, as it goes over the wire. */
function keyOf(type: string, byte: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(36, byte)]);
}

const ours = keyOf('ssh-ed25519', 1);
const other = keyOf('ssh-ed25519', 2);
const lineOf = (names: string, key: Buffer, type = 'ssh-ed25519'): string =>
  `${names} ${type} ${key.toString('base64')} a comment`;
const target = { name: 'din', address: 'din.lan', port: 22, knownHostsFile: '/etc/known hosts' };
const judged = (text: string, at = target, key = ours) => judgeHostKey(key, knownKeys(text, at), at);

describe('a host key', () => {
  test('is accepted by its name, in a list, by a pattern, in brackets with a port, and hashed', () => {
    const salt = Buffer.from('some salt of twenty.');
    const hash = createHmac('sha1', salt).update('din.lan').digest('base64');
    for (const names of [
      'din.lan',
      'nas,DIN.lan',
      '*.lan',
      'di?.lan',
      `|1|${salt.toString('base64')}|${hash}`,
    ])
      assert.equal(judged(`# comment\n\n${lineOf(names, ours)}\n`), undefined, names);
    assert.equal(judged(lineOf('[din.lan]:2222', ours), { ...target, port: 2222 }), undefined);
  });

  test('of another port, another name, a pattern that leaves it out, or an authority is not known', () => {
    const lines = [
      lineOf('[din.lan]:2222', ours),
      lineOf('din', ours),
      lineOf('dinxlan', ours),
      lineOf('*.lan,!din.lan', ours),
      `@cert-authority ${lineOf('din.lan', ours)}`,
      '|1|broken din.lan',
      'din.lan',
    ];
    for (const line of lines) {
      const refused = judged(line);
      assert.equal(refused?.code, 'HF_SSH_HOST_KEY', line);
      assert.match(refused.message, /"din" is not known yet: its key is SHA256:/);
      assert.match(refused.message, /add to \/etc\/known hosts: din\.lan ssh-ed25519 AAAA/);
      assert(refused.message.length <= 300, `${refused.message.length}`);
    }
  });

  test('that has changed is refused with the old and the new fingerprint, the line and what to do', () => {
    const refused = judged(`# one\n${lineOf('din.lan', other)}\n`);
    assert.match(refused?.message ?? '', /key of "din" \(din\.lan\) has changed/);
    const words = refused?.message ?? '';
    assert(words.includes(`was ${fingerprintOf(other.toString('base64'))}`));
    assert(words.includes(`now it is ${fingerprintOf(ours.toString('base64'))}`));
    assert.match(words, /Replace line 2 of \/etc\/known hosts/);
  });

  test('of another kind than the known one is a changed key, never an unknown one', () => {
    const ecdsa = keyOf('ecdsa-sha2-nistp256', 3);
    assert.match(judged(lineOf('din.lan', ecdsa, 'ecdsa-sha2-nistp256'))?.message ?? '', /has changed/);
    assert.deepEqual(
      preferKnown(
        ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'],
        [{ line: 1, revoked: false, type: 'ssh-rsa', key: '' }],
      ),
      ['rsa-sha2-512', 'ssh-ed25519', 'ecdsa-sha2-nistp256'],
    );
  });

  test('that is revoked is refused, although it is also listed', () => {
    const text = `${lineOf('din.lan', ours)}\n@revoked ${lineOf('*', ours)}\n`;
    assert.match(judged(text)?.message ?? '', /revoked in line 2/);
  });

  test('keeps to the length of a message, however long the name of the file is', () => {
    const long = { ...target, knownHostsFile: `/${'very/long '.repeat(30)}hosts` };
    const texts = ['', lineOf('din.lan', keyOf('ssh-ed25519', 9)), `@revoked ${lineOf('*', ours)}`];
    const lengths = texts.map((text) => judgeHostKey(ours, knownKeys(text, long), long)?.message.length ?? 0);
    assert.ok(
      lengths.every((length) => length > 0 && length <= 300),
      String(lengths),
    );
  });
});
