import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Evidence, parseEvidence } from '../../activities/host/evidence.js';
import { openUndosIn } from '../../activities/host/undo.js';
import { chooseWay } from '../../activities/restic/attribute-plan.js';
import {
  factsOf,
  getfattrReader,
  parseTarAttributes,
  unescapeOctal,
} from '../../activities/restic/attribute-text.js';
import { choosePart } from '../../activities/restic/check.js';
import { chooseSnapshot } from '../../activities/restic/choose.js';
import { classify } from '../../activities/restic/classify.js';
import {
  backupVerb,
  escapePattern,
  resticCommand,
  restoreVerb,
  snapshotsVerb,
} from '../../activities/restic/command.js';
import { nodeCheck } from '../../activities/restic/compare.js';
import { nameNodes } from '../../activities/restic/disk-names.js';
import type { OnDisk } from '../../activities/restic/findings.js';
import { checkCounts, checkGroups, namesReader } from '../../activities/restic/hard-links.js';
import { proofOf } from '../../activities/restic/known.js';
import { linkTargetReader, type Node, nanoseconds } from '../../activities/restic/listing.js';
import { parseBackupLine, parseForget, type Snapshot } from '../../activities/restic/parse.js';
import { whyImplausible } from '../../activities/restic/plausible.js';
import { countReasons, judgeRetention } from '../../activities/restic/retention.js';
import { parseEntry } from '../../activities/restic/scan.js';
import { selectPaths } from '../../activities/restic/selection.js';
import { HoldfastError } from '../../contracts/errors.js';
import { parseIdMap } from '../../contracts/id-map.js';

const noMap = parseIdMap([]);
const tool = { file: '/opt/restic', cacheFolder: '/state/cache' };
const access = { env: { RESTIC_PASSWORD: 'hidden', RESTIC_REPOSITORY: 's3:somewhere' }, limits: {} };

test('no secret and no repository is ever an argument', () => {
  const verb = backupVerb({ host: 'nas', tags: ['a'], exclude: ['*.tmp'], paths: ['-n', '/srv/with space'] });
  const command = resticCommand(tool, { ...access, limits: { uploadKiBps: 5, readConcurrency: 3 } }, verb);
  assert.doesNotMatch(command.args.join(' '), /hidden|s3:/);
  assert.deepEqual(command.args, [
    'backup',
    '--limit-upload=5',
    '--json',
    '--host=nas',
    '--tag=a',
    '--exclude=*.tmp',
    '--',
    '-n',
    '/srv/with space',
  ]);
  assert.equal(command.env?.RESTIC_READ_CONCURRENCY, '3');
  assert.equal(command.stopSignal, 'SIGINT');
});

test('several tags are asked for together, not one or the other', () => {
  assert.ok(snapshotsVerb(['job:a', 'resource:b']).options.includes('--tag=job:a,resource:b'));
});

test('pattern characters of a path are taken as they stand', () => {
  assert.equal(escapePattern('/a/[b]*?\\c'), '/a/\\[b\\]\\*\\?\\\\c');
  const verb = restoreVerb({ snapshot: 'abc', target: '/t', paths: ['/a*'], sparse: true, json: false });
  assert.deepEqual(verb.options, ['--verify', '--sparse', '--target=/t', '--include=/a\\*']);
});

const codeOf = (stderrTail: string, verb = 'snapshots', exitCode: number | undefined = 1) => {
  const verdict = classify({ exitCode, stderrTail, verb, store: 'shed' });
  return verdict instanceof HoldfastError ? verdict.code : verdict;
};

test('endings are told apart by what they say', () => {
  const cases: [string, string][] = [
    [
      'Fatal: unable to open config file: Head "http://x/config": dial tcp 127.0.0.1:1: connect: connection refused\nIs there a repository at the following location?',
      'HF_STORE_UNREACHABLE',
    ],
    [
      'Fatal: unable to open config file: Stat: Get "https://s3.example.com/": dial tcp: lookup s3.example.com: no such host\nIs there a repository',
      'HF_STORE_UNREACHABLE',
    ],
    [
      'Fatal: unable to open config file: Stat: Access Denied.\nIs there a repository at the following location?',
      'HF_STORE_DENIED',
    ],
    [
      'Fatal: unable to open config file: Stat: The Access Key Id you provided does not exist in our records.',
      'HF_STORE_DENIED',
    ],
    [
      'Fatal: unable to open config file: unexpected HTTP response (503): 503 Service Unavailable',
      'HF_STORE_UNREACHABLE',
    ],
    ['Fatal: unable to save snapshot: write /repo/data/00/x: no space left on device', 'HF_NO_SPACE'],
    ['panic: runtime error: index out of range\ngoroutine 1 [running]:', 'HF_TOOL_KILLED'],
    [
      'Fatal: unable to open config file: Stat: The request signature we calculated does not match the signature you provided. Check your key and signing method.\nIs there a repository',
      'HF_STORE_DENIED',
    ],
    ['something new', 'HF_TOOL_FAILED'],
  ];
  for (const [words, code] of cases) assert.equal(codeOf(words), code, words);
});

test('a source file that may not be read does not hide why the backup failed', () => {
  const words =
    '{"message_type":"error","error":{"message":"open /srv/x: permission denied"},"item":"/srv/x"}\nFatal: wrong password or no key found';
  assert.equal(codeOf(words, 'backup'), 'HF_WRONG_PASSWORD');
});

test('a broken line during a check is no damage, and a short pack is', () => {
  assert.equal(
    codeOf(
      'Load(<data/1>) returned error: dial tcp 1.2.3.4:443: i/o timeout\nFatal: repository contains errors',
      'check',
    ),
    'HF_STORE_UNREACHABLE',
  );
  assert.equal(
    codeOf('pack 12ab: unexpected EOF\nFatal: repository contains errors', 'check'),
    'HF_STORE_DAMAGED',
  );
});

test('damage that a check finds is told as damage, whatever was tried again before it or broke beside it', () => {
  const healed =
    'Load(<data/1>, 0, 0) returned error, retrying after 720ms: dial tcp 1.2.3.4:443: i/o timeout';
  const broken = 'error for pack 34cd: Get "https://x/data/34": dial tcp 1.2.3.4:443: i/o timeout';
  const end = 'Fatal: repository contains errors';
  const damage = 'pack 12ab: unexpected EOF';
  const wrongHash = 'pack 12ab: Pack ID does not match, want 12ab9c, got 77de01';
  const cases: [string[], string][] = [
    [[healed, damage, end], 'HF_STORE_DAMAGED'],
    [[healed, wrongHash, end], 'HF_STORE_DAMAGED'],
    [[broken, wrongHash, end], 'HF_STORE_DAMAGED'],
    [[healed, broken, end], 'HF_STORE_UNREACHABLE'],
    // It was read well the second time.
    [[healed.replace(/dial.*/, 'ciphertext verification failed'), broken, end], 'HF_STORE_UNREACHABLE'],
  ];
  for (const [lines, code] of cases) assert.equal(codeOf(lines.join('\n'), 'check'), code, lines[1]);
  assert.equal(
    codeOf(`${healed}\nignoring error for /a: ciphertext verification failed`, 'restore'),
    'HF_STORE_DAMAGED',
  );
});

test('exit 3 is a partial copy for backup alone, and a signal is an outage', () => {
  assert.equal(codeOf('', 'backup', 3), 'partial');
  assert.equal(codeOf('', 'restore', 3), 'HF_TOOL_FAILED');
  const killed = classify({
    exitCode: undefined,
    signal: 'SIGKILL',
    stderrTail: '',
    verb: 'backup',
    store: 'shed',
  });
  assert.match(String(killed), /SIGKILL/);
  assert.equal(codeOf('', 'backup', 130), 'HF_TOOL_KILLED');
});

test('words among the lines of a backup are not taken for facts', () => {
  for (const line of ['', 'open repository', '{"message_type":"verbose_status"}', '{broken']) {
    assert.equal(parseBackupLine(line), undefined);
  }
});

test('a policy that answers nothing removes nothing', () => {
  for (const answer of ['', '[]', 'null']) assert.deepEqual(parseForget(answer).remove, []);
});

test('a copy is measured against the median of the last five good ones', () => {
  const counts = (...files: number[]) => files.map((number) => ({ files: number, bytes: 1 }));
  const earlier = counts(5, 5, 100, 100, 102, 98, 1000);
  assert.equal(whyImplausible({ files: 50, bytes: 1 }, earlier, false), undefined);
  assert.match(whyImplausible({ files: 49, bytes: 1 }, earlier, false) ?? '', /49 files.*usually 100/);
  assert.equal(whyImplausible({ files: 0, bytes: 0 }, [], false), undefined);
  assert.match(whyImplausible({ files: 0, bytes: 0 }, [], true) ?? '', /no file/);
});

test('a copy whose files have been emptied is not believed, though all their names are there', () => {
  const earlier = [{ files: 100, bytes: 1000 }];
  assert.match(whyImplausible({ files: 100, bytes: 49 }, earlier, false) ?? '', /49 bytes in 100 files/);
  assert.equal(whyImplausible({ files: 100, bytes: 50 }, earlier, false), undefined);
  // One large file was removed.
  assert.equal(whyImplausible({ files: 99, bytes: 49 }, earlier, false), undefined);
});

const snapshot = (id: string, time: string): Snapshot => ({
  id,
  time,
  paths: ['/srv'],
  tags: [],
  hostname: 'nas',
});
const listing = ['a', 'b', 'c', 'd'].map((letter, index) =>
  snapshot(letter.repeat(64), `2026-11-0${index + 1}T00:00:00Z`),
);
const [a = '', b = '', c = '', d = ''] = listing.map(({ id }) => id);
const question = {
  resource: 'photos',
  listing,
  plan: { keep: [c, d], remove: [a, b] },
  good: new Set([a, b, c, d]),
  nowMs: Date.parse('2026-11-05T00:00:00Z'),
};

test('retention follows the policy when all is well', () => {
  assert.deepEqual(judgeRetention(question), { remove: [a, b], kept: [c, d], warnings: [] });
});

test('retention is refused when it would remove everything, or the newest copy is not good, or copies are overdue', () => {
  assert.match(
    judgeRetention({ ...question, plan: { keep: [], remove: [a, b, c, d] } }).refused ?? '',
    /every copy/,
  );
  assert.match(judgeRetention({ ...question, good: new Set([a, b, c]) }).refused ?? '', /not proved good/);
  assert.match(judgeRetention({ ...question, rpoMs: 3_600_000 }).refused ?? '', /older than the objective/);
  assert.match(judgeRetention({ ...question, good: new Set() }).refused ?? '', /run the job once/);
});

test('a bad copy does not push a good one out', () => {
  const verdict = judgeRetention({ ...question, good: new Set([a, b, d]) });
  assert.deepEqual(verdict.remove, [a]);
  assert.equal(verdict.warnings.length, 1);
});

test('the result counts what each rule keeps, and what was held back against them', () => {
  const reasons = new Map([
    [c, ['daily snapshot', 'last snapshot']],
    [d, ['daily snapshot']],
  ]);
  assert.deepEqual(countReasons([b, c, d], reasons), {
    'held back': 1,
    'daily snapshot': 2,
    'last snapshot': 1,
  });
});

test('retention removes only what was listed', () => {
  assert.deepEqual(
    judgeRetention({ ...question, plan: { keep: [c, d], remove: [a, b, 'foreign'] } }).remove,
    [a, b],
  );
});

const known = ({ refused = [], proved = {} }: { refused?: string[]; proved?: Record<string, string> }) => ({
  refused: new Set(refused),
  proved: new Map(Object.entries(proved)),
});

test('a copy is chosen by id, by time, or as the newest; a refused one only by its id', () => {
  const choose = (wish: object, refused: string[] = []) =>
    chooseSnapshot({ listing, known: known({ refused }), home: 'nas', what: 'x' }, wish).id;
  assert.equal(choose({}), d);
  assert.equal(choose({}, [d]), c);
  assert.equal(choose({ copy: 'dddd' }, [d]), d);
  assert.equal(choose({ at: '2026-11-02T12:00:00Z' }), b);
  assert.equal(choose({ at: '2026-11-02T00:00:00Z' }), b);
  for (const wish of [{ at: '2026-10-31T00:00:00Z' }, { copy: 'ddd' }, { copy: 'eeee' }]) {
    assert.throws(() => choose(wish), { code: 'HF_COPY_NOT_FOUND' });
  }
  const twins = [snapshot('abcd1', '2026-11-01T00:00:00Z'), snapshot('abcd2', '2026-11-02T00:00:00Z')];
  const from = { listing: twins, known: known({}), home: 'nas', what: 'x' };
  assert.throws(() => chooseSnapshot(from, { copy: 'abcd' }), /abcd1, abcd2/);
});

test('a copy is chosen by the moment that it holds, and not by that of its making', () => {
  const proved = { [c]: '2026-11-02T20:00:00Z', [d]: '2026-11-02T22:00:00Z' };
  const from = { listing, known: known({ proved }), home: 'nas', what: 'x' };
  assert.equal(chooseSnapshot(from, { at: '2026-11-02T21:00:00Z' }).id, c);
  assert.equal(chooseSnapshot(from, { at: '2026-11-02T12:00:00Z' }).id, b);
  // Copied last, of an older state.
  const late = known({ proved: { ...proved, [d]: '2026-11-01T12:00:00Z' } });
  assert.equal(chooseSnapshot({ ...from, known: late }, {}).id, c);
});

test('of copies of several hosts those of the own one are taken, others where there is none or by their id', () => {
  const by = (...hosts: string[]) => listing.map((copy, at) => ({ ...copy, hostname: hosts[at] ?? '' }));
  const choose = (hosts: string[], wish = {}, more = {}) =>
    chooseSnapshot({ listing: by(...hosts), known: known({}), home: 'nas', what: 'x', ...more }, wish).id;
  assert.equal(choose(['nas', 'nas', 'desktop', 'desktop']), b);
  assert.equal(choose(['nas', 'nas', 'desktop', 'desktop'], { copy: 'dddd' }), d);
  // Renamed between the second and the third.
  const renamed = ['old-name', 'old-name', 'nas', 'nas'];
  assert.equal(choose(renamed), d);
  assert.equal(choose(renamed, { at: '2026-11-02T12:00:00Z' }), b);
  const onlyOthers = { code: 'HF_COPY_NOT_FOUND', message: /"laptop", "tower", not by "nas": name one/ };
  assert.throws(() => choose(['laptop', 'tower', 'laptop', 'tower']), onlyOthers);
  assert.throws(() => choose(['tower', 'tower', 'tower', 'tower'], {}, { onlyHome: true }), {
    code: 'HF_COPY_NOT_FOUND',
  });
  assert.equal(choose(['tower', 'tower', 'tower', 'tower'], { copy: 'dddd' }, { onlyHome: true }), d);
});

test('what is known of a copy is known by its id; of a copy of another host, only that one knows whether it was proved', () => {
  const [one, two, three] = listing;
  assert(one && two && three);
  const all = known({ proved: { [one.id]: '2026-11-01T00:00:00Z' }, refused: [two.id] });
  const proofs = [one, two, three, { ...three, hostname: 'desktop' }].map((copy) =>
    proofOf(all, copy, 'nas'),
  );
  assert.deepEqual(proofs, ['proved', 'refused', 'not proved', 'unknown']);
});

test('paths of a restore stay inside the resource', () => {
  const select = (...paths: string[]) => selectPaths('/srv/photos', paths, 'x');
  for (const path of ['..', '../other', '/etc', 'a/../../b', 'nul\0'])
    assert.throws(() => select(path), { code: 'HF_PATH_NOT_FOUND' });
  assert.deepEqual(select('2024/', 'a/../b').wanted, ['/srv/photos/2024', '/srv/photos/b']);
  assert.equal(select().whole, true);
  assert.equal(select('.').whole, true);
  const selection = select('2024');
  assert.equal(selection.see('/srv/photos/2024'), true);
  assert.equal(selection.see('/srv/photos/2024-other'), false);
  assert.doesNotThrow(() => selection.checkAllSeen());
});

test('times keep their nanoseconds, before 1970 too', () => {
  assert.equal(nanoseconds('2020-01-02T03:04:05.123456789Z'), '1577934245123456789');
  assert.equal(nanoseconds('2020-01-02T04:04:05.1+01:00'), '1577934245100000000');
  assert.equal(nanoseconds('1969-12-31T23:59:59.5Z'), '-500000000');
});

const found = (more: Partial<OnDisk> = {}): OnDisk => ({
  type: 'file',
  mode: 0o644,
  uid: 1,
  gid: 2,
  size: 3,
  mtimeNs: '4',
  inode: '1:1',
  links: 1,
  allocated: 0,
  linkTarget: '',
  ...more,
});
/** The whole comparison with a disk that holds these. */
function compareNodes(
  nodes: readonly Node[],
  disk: ReadonlyMap<string, OnDisk>,
  isRoot: boolean,
  mayExist: (path: string) => boolean,
) {
  const check = nodeCheck({ nodes, isRoot, mayExist, asRestored: (node) => node });
  for (const [path, facts] of disk) check.see({ path, ...facts });
  return check.end();
}
const node: Node = { path: '/a', type: 'file', mode: 0o644, uid: 1, gid: 2, size: 3, mtimeNs: '4' };

test('every property that differs is a difference, and so is what is missing or strange', () => {
  const differences = (disk: Map<string, OnDisk>, isRoot = true) =>
    compareNodes([node], disk, isRoot, () => false).differences;
  assert.deepEqual(differences(new Map([['/a', found()]])), []);
  for (const change of [
    { type: 'dir' },
    { mode: 0o600 },
    { uid: 9 },
    { gid: 9 },
    { size: 9 },
    { mtimeNs: '9' },
  ] as Partial<OnDisk>[]) {
    assert.equal(differences(new Map([['/a', found(change)]])).length, 1, JSON.stringify(change));
  }
  assert.match(differences(new Map()).join(), /is missing/);
  assert.match(
    differences(
      new Map([
        ['/a', found()],
        ['/b', found()],
      ]),
    ).join(),
    /\/b: is not in the copy/,
  );
});

test('who is not root does not claim to have compared owners', () => {
  const { verified, notVerified, differences } = compareNodes(
    [node],
    new Map([['/a', found({ uid: 9 })]]),
    false,
    () => false,
  );
  assert.deepEqual(differences, []);
  assert.ok(!verified.join().includes('owner'));
  assert.match(notVerified.join(), /owner/);
});

test('names with line breaks survive the walk', () => {
  const entry = parseEntry(
    ['f', '4755', '0', '0', '5', '1577934245.1234567890', '1:2', '1', '8', '/a\nb', '', ''].join('\0'),
  );
  assert.deepEqual(
    [entry.path, entry.mode, entry.mtimeNs, entry.allocated],
    ['/a\nb', 0o4755, '1577934245123456789', 4096],
  );
});

const linked = (path: string, inode?: number): Node => ({ ...node, path, ...(inode && { inode }) });

test('names of one file that are several files now, and strangers that share one, are differences', async () => {
  const nodes = [linked('/a', 7), linked('/b', 7), linked('/c', 8), linked('/d', 7)];
  const onOneDevice = async () =>
    new Map(['/a', '/b', '/d'].map((path) => [path, [{ links: 3, device: 1 }]]));
  const differences = async (inodes: Record<string, string>, links = 2) => {
    const check = checkGroups(nodes, onOneDevice);
    for (const each of nodes) {
      const inode = inodes[each.path] ?? '1:7';
      check.see(each, { inode, links: each.path === '/c' ? links : 3 });
    }
    return (await check.end()).differences.join('\n');
  };
  assert.equal(await differences({ '/c': '1:8' }, 1), '');
  assert.match(await differences({ '/c': '1:8', '/d': '1:9' }, 1), /^\/a: is no longer one file/);
  assert.match(await differences({}), /^\/c: shares its file/);
});

test('inodes of two file systems that happen to be equal are no hard link', async () => {
  const nodes = [linked('/a', 7), { ...linked('/b', 7), size: 99 }];
  const check = checkGroups(nodes, () => assert.fail('nothing is asked'));
  for (const [index, each] of nodes.entries()) check.see(each, { inode: `1:${index}`, links: 1 });
  const none = { verified: ['hard links: 0 groups'], notVerified: [], differences: [] };
  assert.deepEqual(await check.end(), none);
});

test('files of two file systems that are alike in everything are told apart by the file system', async () => {
  const nodes = ['/1/a', '/1/b', '/2/a', '/2/b'].map((path) => linked(path, 7));
  const alone = [linked('/1/c', 8), linked('/2/c', 8)];
  const names = new Map(
    nodes.map(({ path }) => [path, [{ links: 2, device: path.startsWith('/1') ? 1 : 2 }]]),
  );
  const found = async (inodes: string[]) => {
    const check = checkGroups([...nodes, ...alone], async () => names);
    for (const [at, each] of [...nodes, ...alone].entries())
      check.see(each, { inode: inodes[at] ?? '', links: at < 4 ? 2 : 1 });
    return check.end();
  };
  const right = await found(['x', 'x', 'y', 'y', 'z', 'w']);
  assert.deepEqual([right.differences, right.verified], [[], ['hard links: 2 groups']]);
  assert.match(
    (await found(['x', 'x', 'y', 'v', 'z', 'w'])).differences.join('\n'),
    /^\/2\/a: is no longer one file/,
  );
});

test('where only numbers of names are known, more than before is a difference and fewer is said', () => {
  const told = [
    { path: '/a', type: 'file', links: 2 },
    { path: '/b} {"path":"x', type: 'file', links: 3 },
    { path: '/\ufffd', type: 'dir' },
    { path: '/\ufffd', type: 'file', links: 1 },
    { path: '/\ufffd', type: 'file', links: 2 },
  ];
  const reader = namesReader();
  const text = JSON.stringify([{ matches: told, hits: told.length, snapshot: 's' }]);
  for (const piece of text.split('}')) reader.piece(piece);
  const files = ['/a', '/b} {"path":"x', '/\udc80', '/\udcff', '/z'].map((path) => linked(path));
  const found = (...links: number[]) => {
    const check = checkCounts(files, reader.names);
    for (const [index, each] of files.entries()) check.see(each, { inode: '', links: links[index] ?? 0 });
    return check.end();
  };
  assert.deepEqual(found(2, 3, 1, 2, 1).differences, []);
  assert.deepEqual(found(2, 3, 1, 2, 1).notVerified, []);
  assert.match(found(2, 3, 2, 2, 1).differences.join(), /^\/\\x80: shares/);
  assert.match(found(1, 3, 1, 2, 2).differences.join(), /^\/z: shares/);
  assert.match(found(1, 3, 1, 2, 1).notVerified.join(), /1 files that have fewer names/);
});

test('targets of links are found by their whole path, whatever arrows and line breaks there are', () => {
  const entry = (path: string, target: string) =>
    `lrwxrwxrwx     0     0      0 2026-11-20 16:44:10 ${path} -> ${target}`;
  const links = ['/a', '/a -> b', '/c\nd', '/\udce9'].map((path) => linked(path));
  const reader = linkTargetReader(links);
  const text = [
    'snapshot 1 of [/] at 2026:',
    entry('/a', 'b -> x\ny'),
    entry('/a -> b', 'z'),
    '-rw-r--r--     0     0      3 2026-11-20 16:44:10 /b',
    entry('/c\nd', '/c'),
    entry('/not wanted', 'w'),
    entry('/\u00e9', '\u00ff'),
  ].join('\n');
  for (const line of text.split('\n')) reader.line(line);
  assert.deepEqual(
    [...reader.end()],
    [
      ['/a', 'b -> x\ny'],
      ['/a -> b', 'z'],
      ['/c\nd', '/c'],
      ['/\udce9', '\udcff'],
    ],
  );
});

/** What getfattr says of its one file. */
function toldByGetfattr(lines: readonly string[]): { path: string; facts: string[] } {
  const told: { path: string; facts: string[] }[] = [];
  const reader = getfattrReader((path, values) => told.push({ path, facts: factsOf(values, noMap) }));
  for (const line of lines) reader.line(line);
  reader.end();
  assert.equal(told.length, 1);
  return told[0] ?? { path: '', facts: [] };
}

test('the tar stream and getfattr tell the same about the same file, values included', () => {
  const name = '/srv/ü a\nb';
  const record = (text: string | Buffer) => Buffer.from(text).toString('base64');
  const values = {
    'SCHILY.acl.access': record('user::rw-,group::r--,group:60:r--,mask::r--,other::r--'),
    'SCHILY.acl.default': record('user::rwx'),
    'SCHILY.xattr.user.bin': record(Buffer.from([0, 255, 16])),
  };
  const inCopy = (more: object) =>
    parseTarAttributes(JSON.stringify({ path: name.slice(1), values: { ...values, ...more } }), noMap);
  const tar = inCopy({});
  assert.equal(tar.path, name);
  const none = 'ffffffff';
  const onDisk = toldByGetfattr([
    `# file: ${Buffer.from('/srv/ü a').toString('latin1')}\\012b`,
    `system.posix_acl_access=0x0200000001000600${none}04000400${none}080004003c00000010000400${none}20000400${none}`,
    `system.posix_acl_default=0x0200000001000700${none}`,
    'user.bin=0x00ff10',
    '',
  ]);
  assert.deepEqual(onDisk, tar);
  const other = inCopy({ 'SCHILY.xattr.user.bin': record(Buffer.from([0, 255, 17])) });
  assert.notDeepEqual(other.facts, tar.facts, 'another value of the same length');
  assert.equal(unescapeOctal('a\\\\b\\033'), 'a\\b\u001b');
});

test('an access list that says no more than the mode is no fact', () => {
  const none = 'ffffffff';
  const base = `0x0200000001000600${none}04000400${none}20000400${none}`;
  assert.deepEqual(toldByGetfattr(['# file: /a', `system.posix_acl_access=${base}`, 'user.x=0x61']).facts, [
    'user.x 1 bytes (sha256 ca978112ca1bbdca)',
  ]);
});

const nodesCalled = (...paths: string[]): Node[] => paths.map((path, size) => ({ ...node, path, size }));

test('entries whose names look alike in a listing get the names of the disk in the order of their bytes', () => {
  const listed = nodesCalled('/\ufffd', '/\ufffd/a', '/\ufffd', '/\ufffd/a', '/\ufffd', '/z');
  const onDisk = ['/z', '/\ufffd', '/\udcff/a', '/\udcff', '/\udc80/a', '/\udc80'];
  assert.deepEqual(
    nameNodes(listed, onDisk).map(({ path, size }) => `${path} ${size}`),
    ['/\udc80 0', '/\udc80/a 1', '/\ufffd 2', '/\udcff/a 3', '/\udcff 4', '/z 5'],
  );
});

test('of names that look alike, one that is missing on the disk is a difference', () => {
  const listed = nodesCalled('/\ufffd', '/\ufffd');
  const differences = (...paths: string[]) => {
    const disk = new Map(paths.map((path, size) => [path, found({ size })] as const));
    return compareNodes(nameNodes(listed, paths), disk, true, () => false).differences;
  };
  assert.deepEqual(differences('/\udce8', '/\udce9'), []);
  assert.deepEqual(differences('/\udce8'), ['/\ufffd: is missing']);
  assert.deepEqual(differences('/\udce8', '/\udce9', '/\udcea'), ['/\\xea: is not in the copy']);
});

test('the plan says how attributes are compared: nothing is left out in silence', () => {
  const facts = { bytes: 2 ** 40, asked: false, missing: undefined, noMount: undefined };
  assert.deepEqual(chooseWay(facts), { way: 'mount', bytesReadAgain: 0 });
  const noMount = 'no FUSE';
  const all = { bytesReadAgain: 2 ** 40, why: noMount };
  assert.deepEqual(chooseWay({ ...facts, noMount, asked: true }), { way: 'second read', ...all });
  assert.equal(chooseWay({ ...facts, noMount, bytes: 2 ** 30 }).way, 'second read');
  const refused = { way: 'none', bytesReadAgain: 0, why: noMount, bytesIfAsked: 2 ** 40 };
  assert.deepEqual(chooseWay({ ...facts, noMount }), refused);
  assert.equal(chooseWay({ ...facts, asked: true, missing: 'no getfattr' }).way, 'none');
});

const line = (entry: object) => JSON.stringify({ v: 1, at: '2026-11-20T00:00:00Z', run: 'r', ...entry });

test('evidence outlives torn lines and newer versions', () => {
  const text = [
    line({ kind: 'undo-open', what: 'a', former: {} }),
    '{"v":1,"kind":"co',
    '{"v":2,"kind":"copy"}',
    'null',
    '',
  ].join('\n');
  assert.deepEqual(
    parseEvidence(text).map(({ kind }) => kind),
    ['undo-open'],
  );
});

test('parts are read by turns: the one never read, then the one read the longest ago', () => {
  const read = (...parts: number[]) =>
    parseEvidence(
      parts.map((part) => line({ kind: 'check-part', store: 'shed', part, parts: 3 })).join('\n'),
    );
  assert.equal(choosePart([], 'shed', 3), 1);
  assert.equal(choosePart(read(1, 3), 'shed', 3), 2);
  assert.equal(choosePart(read(2, 3, 1, 2), 'shed', 3), 3);
  assert.equal(choosePart(read(1, 2), 'other', 3), 1);
  assert.equal(choosePart(read(1, 2), 'shed', 4), 1);
});

test('former states are put back newest first, and each once', () => {
  const evidence: Evidence[] = parseEvidence(
    [
      line({ kind: 'undo-open', what: 'a', former: {} }),
      line({ kind: 'undo-open', what: 'b', former: {} }),
      line({ kind: 'undo-open', what: 'c', former: {} }),
      line({ kind: 'undo-done', what: 'b' }),
    ].join('\n'),
  );
  assert.deepEqual(
    openUndosIn(evidence).map(({ what }) => what),
    ['c', 'a'],
  );
  assert.deepEqual(openUndosIn(evidence, 'another run'), []);
});
