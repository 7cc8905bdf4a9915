import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { resticVersions } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { type Bench, failsWith, makeBench, meddling, runAt, withoutFuse } from './restic-bench.js';

/** Names that are no UTF-8: what old machines wrote, and what restic's JSON cannot tell. Shells write and change them here, because Node cannot. */

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: isRoot ? false : 'needs root to give files to other owners' };

/** Latin-1, continuation bytes alone, a character that was cut, and names that look alike in JSON, one of them real text. */
const make = String.raw`
mkdir "$(printf 'Gr\374\337e')" "$(printf 'a\376')" "$(printf 'a\377')"
for name in 'caf\351' '\200' '\377\376' 'cut \342\202' 'a\375' 'a\357\277\275' 'Gr\374\337e/in \351' 'a\376/b' 'a\377/b' 'new\nline \351' '-rf \351'; do
  path="$(printf -- "$name")"
  printf -- "$name" >"./$path"
  touch -d "2001-02-03 04:05:$(( $(printf '%s' "$name" | wc -c) + 10 )).123456789" "./$path"
done
ln "$(printf 'caf\351')" "$(printf 'same file \351')"
ln -s nowhere "$(printf 'link \351')"
setfattr -n user.colour -v gelb "$(printf 'caf\351')"
setfacl -m u:33:r-- "$(printf '\200')"
chmod 4711 "$(printf '\377\376')"
`;

const shell = (script: string, cwd: string): void => void execFileSync('bash', ['-ec', script], { cwd });

async function restoreOdd(bench: Bench, minute: number, host = bench.host) {
  const target = join(bench.folder, `restored ${minute}`);
  const step = bench.restoreStep(runAt(minute, '.restore'), target);
  return { target, report: await restoreCopy(bench.tools({ host }), step) };
}

for (const { version, path: restic } of resticVersions()) {
  describe(`names that are no UTF-8 with restic ${version}`, () => {
    test('are restored and compared as all others, byte for byte', async () => {
      const bench = makeBench({ restic });
      shell(make, bench.source);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      for (const [minute, host] of [bench.host, withoutFuse(bench.host)].entries()) {
        const { target, report } = await restoreOdd(bench, minute + 2, host);
        assert.deepEqual(compareTrees(bench.source, target), []);
        assert.match(report.verified.join('\n'), /\(15 with names that are not valid UTF-8\)/);
        assert.match(report.verified.join('\n'), /15 names that are not valid UTF-8, byte for byte/);
        assert.match(report.verified.join('\n'), /\(3 entries have some\)/);
        assert.doesNotMatch(report.notVerified.join('\n'), /UTF-8/);
        assert.deepEqual(report.warnings, []);
      }
    });

    const changes: [what: string, script: string, told: RegExp][] = [
      ['mode', String.raw`chmod 600 "$(printf 'caf\351')"`, /caf\\xe9: mode is 0600, not 0644/],
      ['time', String.raw`touch "$(printf '\200')"`, /\\x80: modification time is/],
      ['size', String.raw`printf x >>"$(printf 'cut \342\202')"`, /cut \\xe2\\x82: size is/],
      [
        'attribute',
        String.raw`setfattr -n user.colour -v blau "$(printf 'caf\351')"`,
        /caf\\xe9: attributes/,
      ],
      ['absence', String.raw`rm "$(printf 'Gr\374\337e/in \351')"`, /Gr\ufffd\ufffde\/in \ufffd: is missing/],
      [
        'name',
        String.raw`mv "$(printf '\377\376')" "$(printf '\377\375')"`,
        /\\xff\\xfe: this very name was not/,
      ],
      ['link', String.raw`ln -sfn elsewhere "$(printf 'link \351')"`, /link \\xe9: target is elsewhere/],
      ['strange file', String.raw`touch "$(printf 'a\374')"`, /is not in the copy/],
    ];
    test('are found to differ in whatever differs', async () => {
      const script = changes.map(([, change]) => change).join('\n');
      const inSource = `cd -- "$(dirname -- "$(find . -name .holdfast)")" || exit 9\n${script}`;
      const bench = makeBench({ restic: meddling(restic, inSource) });
      shell(make, bench.source);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      await assert.rejects(restoreOdd(bench, 2), failsWith('HF_RESTORE_DIFFERS'));
      const log = bench.log.filter((line) => line.startsWith('differs: ')).join('\n');
      for (const [what, , told] of changes) assert.match(log, told, what);
    });

    test('get their mapped owners, and keep capabilities and setuid', needsRoot, async () => {
      const bench = makeBench({ restic });
      Object.assign(bench.config.hosts.nas ?? {}, { mapIds: ['0:100000:65536'] });
      shell(`${make}\nsetcap cap_net_raw+ep "$(printf 'cut \\342\\202')"`, bench.source);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'mapped');
      const more = { mapIds: ['0:100000:65536'] };
      const report = await restoreCopy(bench.tools(), bench.restoreStep(runAt(2, '.restore'), target, more));
      assert.deepEqual(report.warnings, []);
      assert.match(report.verified.join('\n'), /\(4 entries have some\)/);
      const owned = execFileSync('find', [target, '-not', '-uid', '100000', '-printf', 'x']);
      assert.equal(owned.toString(), '');
    });
  });
}
