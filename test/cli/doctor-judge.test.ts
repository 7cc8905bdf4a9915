import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pc from 'picocolors';
import { folderOf } from '../../activities/doctor/machine.js';
import { fitted } from '../../activities/doctor/probe.js';
import { judgeReply } from '../../cli/doctor/examine.js';
import { exitOfFindings } from '../../cli/doctor/findings.js';
import { judgeClock, offsetMs } from '../../cli/doctor/judge-clock.js';
import { judgeHost } from '../../cli/doctor/judge-host.js';
import { judgeTemporal, type TemporalFacts } from '../../cli/doctor/judge-temporal.js';
import { renderFindings } from '../../cli/doctor/view.js';
import { parseConfig } from '../../config/load.js';
import type { Finding, HostFacts, StoreFacts } from '../../contracts/doctor.js';
import { configurationDigests } from '../../schedules/configuration.js';

/** From facts to findings: nothing is asked here. */

const own = { version: '0.1.0', digests: { jobs: 'a', hosts: 'b' } };
const gib = 2 ** 30;
const store: StoreFacts = {
  store: 'vault',
  secrets: [{ of: 'password', place: 'the file /etc/key' }],
  format: 2,
  locks: [],
};
const healthy: HostFacts = {
  v: 1,
  at: '2026-11-20T12:00:00.000Z',
  holdfast: '0.1.0',
  node: 'v20.19.0',
  uid: 0,
  stateFolder: '/var/lib/holdfast',
  configuration: { digests: { ...own.digests } },
  tools: [
    { name: 'restic', path: '/usr/bin/restic', version: '0.14.0' },
    { name: 'flock', path: '/usr/bin/flock' },
  ],
  evidence: { entries: 3, unreadable: 0 },
  openUndos: [],
  space: [{ what: 'state folder', path: '/var/lib/holdfast', bytesFree: 50 * gib }],
  sources: [{ resource: 'photos', directory: '/srv/photos' }],
  stores: [store],
};

const findings = (change: Partial<HostFacts>): Finding[] => judgeHost('nas', { ...healthy, ...change }, own);
const notFine = (change: Partial<HostFacts>): Finding[] =>
  findings(change).filter(({ level }) => level !== 'ok');
/** The one thing that is not fine. */
function only(change: Partial<HostFacts>): Finding {
  const [first, ...more] = notFine(change);
  assert(first, 'nothing was found');
  assert.deepEqual(more, []);
  return first;
}

describe('what a host says', () => {
  test('a healthy host gives nothing but ok, and nothing to do', () => {
    assert.deepEqual(notFine({}), []);
    assert(findings({}).every(({ next }) => next === ''));
    assert.equal(exitOfFindings(findings({})), 0);
  });

  for (const [version, level] of [
    ['0.13.1', 'blocking'],
    ['0.9.6', 'blocking'],
    ['0.14.0', undefined],
    ['0.18.9', undefined],
    ['0.19.0', 'note'],
    ['1.0.0', 'note'],
  ] as const) {
    test(`restic ${version} is ${level ?? 'fine'}`, () => {
      const tools = [{ name: 'restic', path: '/usr/bin/restic', version }];
      assert.equal(notFine({ tools })[0]?.level, level);
    });
  }

  test('a restic that nobody needs may be missing, one that a job needs may not', () => {
    const tools = [{ name: 'restic' }];
    assert.equal(only({ tools, stores: [] }).level, 'note');
    assert.equal(only({ tools }).level, 'blocking');
  });

  test('no flock stops everything, no getfattr costs a comparison', () => {
    assert.equal(only({ tools: [{ name: 'flock' }] }).level, 'blocking');
    const { level, found, next } = only({ tools: [{ name: 'getfattr' }] });
    assert.equal(level, 'warning');
    assert.match(`${found} ${next}`, /access lists .*package attr/);
  });

  test('a worker that is not root is told what its restores lack', () => {
    const { level, found } = only({ uid: 1000 });
    assert.equal(level, 'note');
    assert.match(found, /1000.*user\.\*/);
  });

  test('a configuration that differs names its sections, and no value', () => {
    const { level, found } = only({ configuration: { digests: { jobs: 'x', hosts: 'b' } } });
    assert.equal(level, 'warning');
    assert.match(found, /in jobs$/);
  });

  test('a section that only one side has is a difference', () => {
    assert.match(only({ configuration: { digests: { jobs: 'a', hosts: 'b', later: 'c' } } }).found, /later/);
  });

  test('a file that the worker cannot use blocks', () => {
    assert.equal(only({ configuration: { error: 'line 3: jobs is missing' } }).level, 'blocking');
  });

  test('another version of Holdfast is a warning', () => {
    assert.equal(only({ holdfast: '0.2.0' }).subject, 'holdfast');
    assert.equal(only({ holdfast: '0.2.0' }).level, 'warning');
  });

  test('free space is judged by how little is left', () => {
    const at = (bytesFree: number) =>
      notFine({ space: [{ what: 'store usb', path: '/mnt/usb', bytesFree }] })[0]?.level;
    assert.equal(at(20 * gib), undefined);
    assert.equal(at(gib / 2), 'warning');
    assert.equal(at(gib / 20), 'blocking');
  });

  test('a source that the guard refuses blocks, one unreadable entry warns', () => {
    const source = { resource: 'photos', directory: '/srv/photos' };
    assert.equal(only({ sources: [{ ...source, error: 'its marker is missing' }] }).level, 'blocking');
    const { level, found } = only({ sources: [{ ...source, unreadable: '/srv/photos/private' }] });
    assert.equal(level, 'warning');
    assert.match(found, /private/);
  });

  test('a missing repository is answered with how to make one, and with a doubt', () => {
    const error = { code: 'HF_STORE_MISSING', message: 'There is no repository' };
    const { level, next } = only({ stores: [{ ...store, error }] });
    assert.equal(level, 'blocking');
    assert.match(next, /init-store vault/);
    assert.match(next, /find out/);
  });

  test('a secret that cannot be read is told once, as the secret', () => {
    const error = { code: 'HF_SECRET_UNAVAILABLE', message: 'The file /etc/key cannot be read' };
    const secrets = [{ of: 'password', place: 'the file /etc/key', error: error.message }];
    assert.equal(only({ stores: [{ ...store, error, secrets }] }).subject, 'secret password of vault');
  });

  for (const [exposed, level] of [
    ['readable', 'warning'],
    ['writable', 'warning'],
    ['hidden', 'note'],
  ] as const) {
    test(`a key file that is ${exposed} is a ${level}`, () => {
      const secrets = [{ of: 'password', place: 'the file /etc/key', exposed }];
      assert.equal(only({ stores: [{ ...store, secrets }] }).level, level);
    });
  }

  test('a lock is told with its holder; from half an hour on it is a warning', () => {
    const lock = { id: 'abcd1234', by: 'process 7 on attic', exclusive: true };
    const at = (since: string) => only({ stores: [{ ...store, locks: [{ ...lock, since }] }] });
    assert.equal(at('2026-11-20T11:40:00Z').level, 'note');
    const { level, found, next } = at('2026-11-20T11:15:00Z');
    assert.equal(level, 'warning');
    assert.match(found, /exclusive, held by process 7 on attic, refreshed 45 min ago/);
    assert.match(next, /never --remove-all/);
    assert.equal(at('').level, 'note');
  });

  test('a state folder, evidence and things left changed', () => {
    assert.equal(only({ stateError: 'EROFS' }).level, 'blocking');
    assert.equal(only({ evidence: { entries: 0, unreadable: 0, error: 'EACCES' } }).level, 'blocking');
    assert.equal(only({ evidence: { entries: 9, unreadable: 1 } }).level, 'note');
    assert.match(only({ openUndos: ['container:web of x'] }).found, /container:web of x/);
  });
});

describe('clocks', () => {
  const at = (hostMs: number) => ({ beforeMs: 1_000_000, hostMs, afterMs: 1_000_400 });

  test('nothing is said of what lies between the two readings', () => {
    assert.equal(offsetMs(at(1_000_200)), 0);
    assert.equal(judgeClock('nas', at(1_000_200)).level, 'ok');
  });

  test('5 s are a warning, a minute blocks, in both directions', () => {
    assert.equal(judgeClock('nas', at(1_005_000)).level, 'ok');
    assert.equal(judgeClock('nas', at(1_006_000)).level, 'warning');
    assert.equal(judgeClock('nas', at(994_000)).level, 'warning');
    assert.equal(judgeClock('nas', at(1_061_000)).level, 'blocking');
    assert.match(judgeClock('nas', at(930_000)).found, /70 s behind/);
  });
});

describe('a host without an answer', () => {
  test('is a blocking finding that says what to start', () => {
    const [finding] = judgeReply({ host: 'nas', failure: { code: 'HF_HOST_UNREACHABLE', message: '' } }, own);
    assert.equal(finding?.level, 'blocking');
    assert.match(finding?.next ?? '', /holdfast worker --host nas/);
  });
});

describe('what Temporal says', () => {
  const facts: TemporalFacts = {
    address: '127.0.0.1:7233',
    namespace: 'holdfast',
    orchestrators: 1,
    schedules: [],
    state: {
      exists: true,
      serverVersion: '1.29.1',
      retention: { presentMs: 90 * 86_400_000, wantedMs: 90 * 86_400_000 },
      attributes: { missing: [], wrong: [] },
    },
  };
  const levels = (change: Partial<TemporalFacts>) =>
    judgeTemporal({ ...facts, ...change })
      .filter(({ level }) => level !== 'ok')
      .map(({ level, subject }) => `${level} ${subject}`);

  test('a namespace as it must be gives nothing but ok', () => {
    assert.deepEqual(levels({}), []);
  });

  test('a schedule that is not as the file says warns, whoever did it; a pause is only told', () => {
    const paused = { paused: true, note: 'disk is away' };
    const schedules = [
      { kind: 'add', id: 'hf-a' },
      { kind: 'edited', id: 'hf-b', observed: { paused: false } },
      { kind: 'change', id: 'hf-c', observed: { paused: false } },
      { kind: 'orphan', id: 'hf-d', observed: { paused: false } },
      { kind: 'same', id: 'hf-e', observed: paused },
    ] as unknown as TemporalFacts['schedules'];
    assert.deepEqual(levels({ schedules }), [
      'warning schedule hf-a',
      'warning schedule hf-b',
      'warning schedule hf-c',
      'warning schedule hf-d',
      'note schedule hf-e',
    ]);
  });

  test('a schedule that somebody has limited is not as the file says, above all when it has no start left', () => {
    const schedules = [
      { kind: 'same', id: 'hf-a', observed: { paused: false, remainingActions: 0 } },
      { kind: 'same', id: 'hf-b', observed: { paused: false, remainingActions: 3 } },
    ] as unknown as TemporalFacts['schedules'];
    const found = judgeTemporal({ ...facts, schedules }).filter(({ level }) => level !== 'ok');
    assert.deepEqual(
      found.map(({ level, subject }) => `${level} ${subject}`),
      ['warning schedule hf-a', 'warning schedule hf-b'],
    );
    assert.match(found[0]?.found ?? '', /never starts again/);
  });

  test('a short retention warns, a missing attribute and no orchestrator block', () => {
    const retention = { presentMs: 3 * 86_400_000, wantedMs: 90 * 86_400_000 };
    assert.deepEqual(levels({ state: { ...facts.state, retention } }), ['warning namespace']);
    const attributes = { missing: ['HfJob'], wrong: [] };
    assert.deepEqual(levels({ state: { ...facts.state, attributes } }), ['blocking search attributes']);
    assert.deepEqual(levels({ orchestrators: 0 }), ['blocking orchestrator']);
    assert.deepEqual(levels({ orchestrators: undefined }), ['note orchestrator']);
    assert.deepEqual(levels({ state: { ...facts.state, exists: false } }), ['blocking namespace']);
  });
});

describe('the answer', () => {
  test('of a host with very many stores stays small, and what is wrong is kept', () => {
    const many = Array.from({ length: 400 }, (_, index) => ({ ...store, store: `store-${index}` }));
    const wrong = { ...store, store: 'last', error: { code: 'HF_WRONG_PASSWORD', message: 'wrong' } };
    const answer = fitted({ ...healthy, stores: [...many, wrong] });
    assert(JSON.stringify(answer).length < 16_000);
    assert.equal(answer.stores[0]?.store, 'last');
    const kept = answer.stores.length + answer.sources.length + answer.space.length;
    assert.equal(kept + (answer.leftOut ?? 0), 403);
    const said = judgeHost('nas', answer, own).filter(({ subject }) => subject === 'answer');
    assert.match(said[0]?.found ?? '', /did not fit/);
  });

  test('that cannot hold all faults says so as a fault', () => {
    const error = { code: 'HF_STORE_UNREACHABLE', message: 'away '.repeat(50) };
    const many = Array.from({ length: 200 }, (_, index) => ({ ...store, store: `store-${index}`, error }));
    const answer = fitted({ ...healthy, stores: many });
    assert(JSON.stringify(answer).length < 16_000);
    const said = judgeHost('nas', answer, own).filter(({ subject }) => subject === 'answer');
    assert.equal(said[0]?.level, 'blocking');
  });

  test('that fits is not touched', () => {
    assert.deepEqual(fitted(healthy), healthy);
  });
});

test('repositories that are folders here are told from those on a network', () => {
  assert.equal(folderOf('/mnt/backup'), '/mnt/backup');
  assert.equal(folderOf('local:/mnt/backup'), '/mnt/backup');
  assert.equal(folderOf('s3:https://example.com/bucket'), undefined);
  assert.equal(folderOf('sftp:user@host:/srv'), undefined);
});

test('warnings end with 6, anything blocking with 1', () => {
  const finding: Finding = { level: 'note', host: 'nas', subject: 'x', found: 'y', next: '' };
  assert.equal(exitOfFindings([finding]), 0);
  assert.equal(exitOfFindings([finding, { ...finding, level: 'warning' }]), 6);
  assert.equal(
    exitOfFindings([
      { ...finding, level: 'blocking' },
      { ...finding, level: 'warning' },
    ]),
    1,
  );
});

test('findings are shown by host, the worst first, and a hostile name cannot move the cursor', () => {
  const lines = renderFindings({ colours: pc.createColors(false) }, [
    { level: 'ok', host: 'nas', subject: 'fine', found: 'yes', next: '' },
    { level: 'blocking', host: 'nas', subject: 'bad\u001b[2J', found: 'no', next: 'mend it' },
  ]);
  assert.equal(lines[0], 'nas');
  assert.match(lines[1] ?? '', /^ {2}blocking {2}bad \[2J: no$/);
  assert.match(lines[2] ?? '', /next: mend it/);
  assert.equal(lines.at(-1), '1 blocking, 0 warnings, 0 notes, 1 fine');
});

test('two files that mean the same have the same digests, a changed job only another one of jobs', () => {
  const file = (keep: string) => `
hosts: { nas: {} }
resources: { photos: { host: nas, directory: /srv/photos } }
stores: { usb: { restic: { repository: /mnt/usb, password: { file: /etc/key } } } }
jobs: { photos: { kind: restic-backup, resources: [photos], store: usb, keep: ${keep} } }
`;
  const digests = (text: string) => {
    const { config } = parseConfig(text, 'holdfast.yaml');
    assert(config);
    return configurationDigests(config);
  };
  const one = digests(file('{ daily: 7, weekly: 4 }'));
  assert.deepEqual(digests(`# a comment\n${file('{ weekly: 4, daily: 7 }')}`), one);
  const other = digests(file('{ daily: 8, weekly: 4 }'));
  assert.deepEqual(
    Object.keys(one).filter((section) => one[section] !== other[section]),
    ['jobs'],
  );
});
