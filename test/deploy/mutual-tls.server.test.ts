import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../support/needs.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { type Authority, type Certificate, makeAuthority, tlsEnvironment } from './certificates.js';
import { type House, makeHouse } from './house.js';
import { openTlsDoor, type TlsDoor } from './tls-door.js';

/** Real certificates, a real TLS end and a real server; only that both are one program is left to the full test. */

describe('mutual TLS to the cluster', { skip: needs('temporal', 'restic', 'openssl') }, () => {
  let authority: Authority;
  let own: Certificate;
  let server: TestServer;
  let door: TlsDoor;
  let house: House;

  before(async () => {
    authority = makeAuthority('our authority');
    own = authority.client('nas');
    server = await startTestServer();
    door = await openTlsDoor(authority, authority.server, server.port);
    house = makeHouse(door.address, tlsEnvironment(authority, own));
  });
  after(async () => {
    await house?.stop();
    await door?.stop();
    await server?.stop();
  });

  test('a client with a certificate of ours applies, and the workers run a backup through it', async () => {
    const applied = await house.holdfast('apply');
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    await house.startWorkers();
    const made = await house.holdfast('init-store', 'vault');
    assert.equal(made.code, 0, made.stdout + made.stderr);
    const ended = await house.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.equal((await house.holdfast('status', '--check')).code, 0);
    // apply, the two workers (the host's with a client of its own), run and status: nobody went round the door.
    assert(door.accepted() >= 5, `${door.accepted()} connections`);
    assert.equal(door.refused(), 0);
  });

  test('TEMPORAL_ADDRESS is enough when the file names no address', async () => {
    const other = makeHouse(undefined, { ...house.env, TEMPORAL_ADDRESS: door.address } as Record<
      string,
      string
    >);
    const planned = await other.holdfastWith({ HOLDFAST_CONFIG: `${other.folder}/holdfast.yaml` }, 'plan')
      .exit;
    assert.equal(planned.code, 0, planned.stdout + planned.stderr);
  });

  test('a certificate of another authority is refused by the server', async () => {
    const stranger = makeAuthority('stranger');
    const before = door.refused();
    const ended = await house.holdfastWith(tlsEnvironment(authority, stranger.client('nas')), 'status').exit;
    assert.equal(ended.code, 4, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /does not answer at localhost:\d+ \(asked with TLS/);
    assert(door.refused() > before);
  });

  test('a worker without a certificate waits for one that is accepted, and can be asked to end', async () => {
    const none = { TEMPORAL_TLS_CLIENT_CERT_PATH: undefined, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined };
    const worker = house.holdfastWith(none, 'worker', '--host', 'nas');
    await worker.waitForLine('waiting for Temporal', 60_000);
    assert(worker.running());
    assert.equal((await worker.stop('SIGTERM')).code, 0);
  });

  test('without a client certificate nobody comes in', async () => {
    const before = door.refused();
    const none = { TEMPORAL_TLS_CLIENT_CERT_PATH: undefined, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined };
    const ended = await house.holdfastWith(none, 'status').exit;
    assert.equal(ended.code, 4, ended.stdout + ended.stderr);
    assert(door.refused() > before);
  });

  test('a server whose certificate another authority signed is not believed', async () => {
    const stranger = makeAuthority('stranger');
    const impostor = await openTlsDoor(authority, stranger.server, server.port);
    try {
      const other = makeHouse(impostor.address, tlsEnvironment(authority, own));
      const ended = await other.holdfast('status');
      assert.equal(ended.code, 4, ended.stdout + ended.stderr);
      assert.equal(impostor.accepted(), 0);
    } finally {
      await impostor.stop();
    }
  });

  test('a path to a certificate that is not there is told as a mistake of the set-up', async () => {
    const missing = { TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere/nas.pem' };
    const ended = await house.holdfastWith(missing, 'status').exit;
    assert.equal(ended.code, 2, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /\/nowhere\/nas\.pem/);
  });
});
