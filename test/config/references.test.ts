import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mistakesIn, parts, textWith, warningsIn } from './text.js';

/** Without the place, which other tests hold. */
const words = (lines: string[]): string[] => lines.map((line) => line.replace(/^\S+ /, ''));
const scheduled = (cron: string, more = ''): string => `schedule: { cron: "${cron}"${more} }`;

describe('a warning', () => {
  test('is not given for what is right', () => {
    assert.deepEqual(warningsIn(textWith({}, [scheduled('30 3 * * *'), 'objective: { rpo: 26h }'])), []);
  });

  test('is given for what no job uses', () => {
    const text = textWith({ jobs: '' });
    assert.deepEqual(words(warningsIn(text)), [
      'resources.photos: is in no job: it is not protected',
      'stores.b2: is used by no job',
    ]);
  });

  test('is given for folders inside each other on one host, and not for neighbours', () => {
    const resources = (second: string): string => `${parts.resources}  other: ${second}\n`;
    const jobs = parts.jobs.replace('[photos]', '[photos, other]');
    const hosts = 'hosts:\n  nas: {}\n  din: {}\n';
    const inside = (second: string) =>
      words(warningsIn(textWith({ hosts, jobs, resources: resources(second) }))).filter((line) =>
        line.startsWith('jobs.'),
      );
    assert.deepEqual(inside('{ host: nas, directory: /srv/photos/2024 }'), [
      'jobs.photos.resources[1]: "other" lies inside "photos": its files are backed up twice',
    ]);
    assert.deepEqual(inside('{ host: nas, directory: / }'), [
      'jobs.photos.resources[0]: "photos" lies inside "other": its files are backed up twice',
    ]);
    assert.deepEqual(inside('{ host: nas, directory: /srv//photos/ }'), [
      'jobs.photos.resources[1]: "other" and "photos" are the same folder: it is backed up twice',
    ]);
    assert.deepEqual(inside('{ host: nas, directory: /srv/photos-old }'), []);
    assert.deepEqual(inside('{ host: din, directory: /srv/photos/2024 }'), []);
  });

  test('is given for a promise that the schedule cannot keep, with the arithmetic', () => {
    const promise = (cron: string, rpo: string, more = '') =>
      words(warningsIn(textWith({}, [scheduled(cron, more), `objective: { rpo: ${rpo} }`])));
    assert.deepEqual(promise('30 3 * * *', '20h'), [
      'jobs.photos.objective.rpo: 20h cannot be kept: up to 24h lie between two starts, and 1m of jitter come on top',
    ]);
    assert.equal(promise('30 3 * * *', '24h').length, 1);
    assert.equal(promise('30 3 * * *', '25h', ', jitter: 2h').length, 1);
    assert.match(promise('0 3 * * 1-5', '26h').join(), /up to 3d lie between/);
    assert.deepEqual(promise('0 3 * * 1-5', '4d'), []);
  });

  test('is given for a promise that is longer than runs are remembered', () => {
    const text = textWith({}, [scheduled('0 4 1 */3 *'), 'objective: { rpo: 100d }']);
    assert.deepEqual(words(warningsIn(text)), [
      'jobs.photos.objective.rpo: is longer than Temporal remembers runs (90d): a good one that is older counts as none, and "status" calls it overdue',
    ]);
  });

  test('is given for the one start of a day that a change to summer time passes over, in the zone of the job', () => {
    const within = (zone: string): string =>
      warningsIn(textWith({}, [scheduled('30 2 * * *', `, timezone: ${zone}`)])).join();
    assert.match(
      within('Europe/Berlin'),
      /jobs.photos.schedule.cron: on .* go from 02:00 to 03:00: 02:30 is passed/,
    );
    assert.equal(within('UTC'), '');
  });

  test('is given for a promise that nothing keeps by itself', () => {
    assert.match(warningsIn(textWith({}, ['objective: { rpo: 26h }'])).join(), /has no "schedule"/);
  });

  test('is given when the parts of a check take longer than is promised', () => {
    const check = (cron: string, parts: number, promised: string) =>
      words(
        warningsIn(
          textWith({}, [`check: { cron: "${cron}", parts: ${parts} }`, `objective: { check: ${promised} }`]),
        ),
      );
    assert.deepEqual(check('0 7 * * *', 30, '35d'), []);
    assert.deepEqual(check('0 7 * * *', 30, '20d'), [
      'jobs.photos.check.parts: 30 parts x 24h between two checks: every pack is read once in 30d, but objective.check promises 20d',
    ]);
    assert.match(check('0 7 * * 0', 8, '35d').join(), /8 parts x 7d .* once in 56d/);
    assert.match(check('0 7 * * 1-5', 30, '35d').join(), /once in 42d/);
  });

  test('is given when a check of the structure or a prune is rarer than is promised', () => {
    const lines = [
      'keep: { daily: 7 }',
      'prune: { cron: "0 6 1 * *" }',
      'check: { cron: "0 7 1 * *" }',
      'objective: { check: 20d, prune: 15d }',
    ];
    assert.deepEqual(
      words(warningsIn(textWith({}, lines))).map((line) => line.split(' cannot')[0]),
      ['jobs.photos.objective.check: 20d', 'jobs.photos.objective.prune: 15d'],
    );
  });

  test('is given for what sounds like a secret in plain text', () => {
    const stores = parts.stores.replace(
      ' } }\n',
      ', env: { AWS_SECRET_ACCESS_KEY: x, AWS_DEFAULT_REGION: eu } } }\n',
    );
    assert.match(warningsIn(textWith({ stores })).join(), /env\.AWS_SECRET_ACCESS_KEY: looks like a secret/);
  });
});

describe('a limit of streams that no stream uses', () => {
  const found = (din: string, grogu = '{}', kind = 'zfs-replication', store = ', store: grogu') =>
    words(
      warningsIn(`
hosts:
  nas: {}
  din: { ssh: { address: din.lan, user: root, via: nas }, pools: ${din} }
  grogu: { ssh: { address: grogu.lan, user: root, via: nas }, pools: ${grogu} }
resources: { vms: { host: din, dataset: fast/vms }, photos: { host: din, dataset: bulk } }
stores: { grogu: { zfs: { host: grogu, dataset: backup/replicas } } }
jobs: { copy: { kind: ${kind}, resources: [vms, photos]${store} } }
`),
    );

  test('is told with the pools that such jobs use on that host', () => {
    assert.deepEqual(found('{ fsat: { streams: 2 } }', '{ fast: { streams: 1 }, backup: { floor: 1% } }'), [
      'hosts.din.pools.fsat.streams: has no effect: no zfs-replication job reads from this pool or writes to it, those of this host use fast, bulk',
      'hosts.grogu.pools.fast.streams: has no effect: no zfs-replication job reads from this pool or writes to it, those of this host use backup',
    ]);
  });

  test('is told where no such job uses any pool of the host', () => {
    const only = found('{ fast: { streams: 2 } }', '{}', 'zfs-snapshot', '');
    assert.deepEqual(
      only.filter((line) => line.startsWith('hosts.')),
      [
        'hosts.din.pools.fast.streams: has no effect: no zfs-replication job reads from this pool or writes to it',
      ],
    );
  });

  test('is none where a job reads from the pool or writes to it, nor where a pool says only how full it may become', () => {
    const pools = '{ fast: { streams: 1 }, bulk: { streams: 2 }, other: { floor: 1% } }';
    assert.deepEqual(found(pools, '{ backup: { streams: 16 } }'), []);
  });
});

describe('a mistake between two settings', () => {
  test('is a jitter that reaches the next start, also an inherited one', () => {
    assert.match(
      mistakesIn(textWith({}, [scheduled('0 * * * *', ', jitter: 60m')])).join(),
      /schedule\.jitter: jitter of 1h must be shorter than the 1h between two starts/,
    );
    const inherited = [scheduled('0 3 * * *', ', jitter: 2h'), 'check: { cron: "0 * * * *" }'];
    assert.match(
      mistakesIn(textWith({}, inherited)).join(),
      /check\.cron: jitter of 2h must be shorter than the 1h/,
    );
  });

  test('is a schedule of every minute, whose default jitter is a minute', () => {
    assert.match(mistakesIn(textWith({}, [scheduled('* * * * *')])).join(), /jitter of 1m must be shorter/);
    assert.deepEqual(mistakesIn(textWith({}, [scheduled('* * * * *', ', jitter: 5s')])), []);
  });

  test('is a host that is driven by one without a worker, whatever their order', () => {
    const ssh = (via: string): string => `{ ssh: { address: 10.0.0.9, user: root, via: ${via} } }`;
    const hosts = `hosts:\n  a-first: ${ssh('din')}\n  din: ${ssh('nas')}\n  nas: {}\n`;
    assert.deepEqual(words(mistakesIn(textWith({ hosts }))), [
      'hosts.a-first.ssh.via: "din" has no worker of its own, it is driven by "nas"; name a host with a worker',
    ]);
  });

  test('is not one for a job on a host that is driven over ssh', () => {
    const hosts = 'hosts:\n  nas: {}\n  din: { ssh: { address: 10.0.0.2, user: root, via: nas } }\n';
    assert.deepEqual(mistakesIn(textWith({ hosts })), []);
    const resources = parts.resources.replace('host: nas', 'host: din');
    assert.deepEqual(mistakesIn(textWith({ hosts, resources })), []);
  });

  test('is a way over machines that goes in a circle, or over one that nobody knows how to reach', () => {
    const ssh = (jump: string): string =>
      `{ ssh: { address: 10.0.0.9, user: root, via: nas, jump: ${jump} } }`;
    const hosts = (jump: string): string =>
      `hosts:\n  nas: {}\n  din: ${ssh(jump)}\n  grogu: ${ssh('din')}\n`;
    assert.deepEqual(words(mistakesIn(textWith({ hosts: hosts('nas') }))), [
      'hosts.din.ssh.jump: "nas" has no "ssh" that says how it is reached',
      'hosts.grogu.ssh.jump: "nas" has no "ssh" that says how it is reached',
    ]);
    assert.match(
      mistakesIn(textWith({ hosts: hosts('grogu') })).join(),
      /hosts\.din\.ssh\.jump: goes in a circle: din -> grogu -> din/,
    );
  });

  test('is not one for a host that can be reached and has its own worker', () => {
    const hosts = 'hosts:\n  nas: { ssh: { address: 10.0.0.1, user: root } }\n';
    assert.deepEqual(mistakesIn(textWith({ hosts })), []);
  });
});

describe('one repository under two names', () => {
  const one = 'is the same repository as that of the store "b2"';
  const withStore = (
    repository: string,
    more: { resources?: string; hosts?: string; jobs?: string } = {},
  ) => {
    const stores = `${parts.stores}  usb: { restic: { repository: "${repository}", password: { file: /key } } }\n`;
    const jobs = more.jobs ?? parts.jobs.replace('store: b2', 'stores: [b2, usb]');
    return words(mistakesIn(textWith({ ...more, stores, jobs })));
  };

  test('is refused, because runs under the two names would not wait for each other', () => {
    for (const address of [
      's3:https://s3.example.com/photos/',
      's3:https://s3.example.com//photos',
      's3:s3.example.com/photos',
    ]) {
      const [first, ...more] = withStore(address);
      assert.ok(first?.startsWith(`stores.usb.restic.repository: ${one}`), `${address}: ${first}`);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(withStore('s3:http://s3.example.com/photos-two'), []);
  });

  test('is refused for a folder only when one host uses both names', () => {
    const folders = (second: string, jobs: string) =>
      words(
        mistakesIn(
          textWith({
            hosts: 'hosts:\n  nas: {}\n  din: {}\n',
            resources: `${parts.resources}  other: { host: din, directory: /srv/other }\n`,
            stores: `stores:\n  b2: { restic: { repository: /mnt/usb, password: { file: /key } } }\n  usb: { restic: { repository: "${second}", password: { file: /key } } }\n`,
            jobs,
          }),
        ),
      );
    const both = parts.jobs.replace('store: b2', 'stores: [b2, usb]');
    assert.ok(folders('local:/mnt//usb/', both)[0]?.includes(one));
    const apart = `${parts.jobs}\n  other: { kind: restic-backup, resources: [other], store: usb }\n`;
    assert.deepEqual(folders('/mnt/usb', apart), []);
  });
});

test('two spellings of one sftp repository are one', () => {
  const stores = ['sftp://me@nas//srv/restic', 'sftp:me@nas:/srv/restic'].map(
    (address, at) => `  s${at}: { restic: { repository: "${address}", password: { file: /key } } }`,
  );
  const jobs = parts.jobs.replace('store: b2', 'stores: [s0, s1]');
  const found = words(mistakesIn(textWith({ stores: `stores:\n${stores.join('\n')}\n`, jobs })));
  assert.match(found.join(), /stores.s1.restic.repository: is the same repository as that of the store "s0"/);
});

test('a repository inside of what it copies is refused, unless a pattern leaves it out', () => {
  const found = (repository: string, exclude: string) =>
    words(
      mistakesIn(
        textWith(
          {
            stores: `stores:\n  b2: { restic: { repository: "${repository}", password: { file: /key } } }\n`,
          },
          [`exclude: [${exclude}]`],
        ),
      ),
    ).length;
  assert.equal(found('/srv/photos/.backup/restic', '"*.tmp"'), 1);
  assert.equal(found('local:/srv//photos/restic/', '"restic-cache"'), 1);
  for (const exclude of ['/srv/photos/.backup', '.backup', '".back*"', '"**/restic/**"'])
    assert.equal(found('/srv/photos/.backup/restic', exclude), 0, exclude);
  assert.equal(found('/srv/photos-old/restic', ''), 0);
});

test('one place of replicas under two names is refused: two names are not two copies', () => {
  const place = (dataset: string) => `{ zfs: { host: nas, dataset: "${dataset}" } }`;
  const found = (second: string) =>
    words(
      mistakesIn(
        textWith({ stores: `${parts.stores}  one: ${place('tank/a b')}\n  two: ${place(second)}\n` }),
      ),
    );
  assert.match(
    found('tank/a b').join(),
    /^stores\.two\.zfs\.dataset: is the same place as that of the store "one"/,
  );
  assert.deepEqual(found('tank/c'), []);
});

describe('replicas that lie within what is read', () => {
  const found = (jobs: string, exclude = '') => {
    const text = `
hosts:
  din: { ssh: { address: din.lan, user: root } }
  grogu: { ssh: { address: grogu.lan, user: root } }
  attic: { ssh: { address: attic.lan, user: root } }
resources:
  fast: { host: din, dataset: fast, exclude: [${exclude}] }
  all: { host: grogu, dataset: tank }
stores:
  there: { zfs: { host: grogu, dataset: tank/backups } }
  back: { zfs: { host: din, dataset: fast/backups } }
  third: { zfs: { host: attic, dataset: spare } }
jobs: { fast: { kind: zfs-replication, resources: [fast], store: there }, ${jobs} }
`;
    const mistakes = mistakesIn(text);
    if (mistakes.length > 0) return words(mistakes);
    return words(warningsIn(text)).filter((line) => line.includes(' holds the replica '));
  };
  const all = (store: string) => `all: { kind: zfs-replication, resources: [all], store: ${store} }`;

  test('may go on to a third machine, but not back into their source unless that leaves them out', () => {
    assert.deepEqual(found(all('third')), []);
    assert.deepEqual(found(all('back'), 'backups'), []);
    assert.deepEqual(
      found(all('back'), 'other').map((line) => line.split(',')[0]),
      [
        'jobs.fast.resources: copies the replicas of "all" in the store "back" back to where they are from',
        'jobs.all.resources: copies the replicas of "fast" in the store "there" back to where they are from',
      ],
    );
  });

  test('are a warning for a job that takes snapshots of them too', () => {
    assert.deepEqual(found('hourly: { kind: zfs-snapshot, resources: [all] }'), [
      'jobs.hourly.resources[0]: "all" holds the replica of "fast" in the store "there": a snapshot of it stops its replication as diverged; leave it out with "exclude"',
    ]);
    assert.deepEqual(found('hourly: { kind: zfs-snapshot, resources: [fast] }'), []);
  });
});

describe('more than two streams at a time', () => {
  const found = (parallel: string, pools: { fast?: number; backup?: number }) => {
    const entry = (name: string, streams?: number) =>
      streams === undefined ? '{}' : `{ pools: { ${name}: { streams: ${streams} } } }`;
    return words(
      mistakesIn(`
hosts:
  din: ${entry('fast', pools.fast)}
  grogu: ${entry('backup', pools.backup).replace('{', '{ ssh: { address: grogu.lan, user: root, via: din }, ')}
resources: { vms: { host: din, dataset: fast/vms } }
stores: { grogu: { zfs: { host: grogu, dataset: backup } } }
jobs: { copy: { kind: zfs-replication, resources: [vms], store: grogu${parallel} } }
`),
    );
  };

  test('need a pool at one end that says so, and none that takes fewer', () => {
    assert.deepEqual(found(', parallel: 3', {}), [
      'jobs.copy.parallel: has no effect above 2: write how many streams the pool takes, hosts.grogu.pools.backup.streams or hosts.din.pools.fast.streams: 3',
    ]);
    for (const pools of [{ backup: 3 }, { fast: 3 }, { fast: 16, backup: 3 }])
      assert.deepEqual(found(', parallel: 3', pools), []);
    assert.deepEqual(found(', parallel: 3', { fast: 2, backup: 3 }), [
      'jobs.copy.parallel: 3 at the same time never come, hosts.din.pools.fast.streams is 2: write 3 there, or 2 here',
    ]);
  });

  test('are no matter for a job that does not ask for them, whatever its pools take', () => {
    for (const pools of [{}, { fast: 1 }, { backup: 1 }]) {
      assert.deepEqual(found('', pools), []);
      assert.deepEqual(found(', parallel: 2', pools), []);
    }
  });
});
