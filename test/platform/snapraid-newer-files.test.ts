import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { actByHand, planByHand } from '../../activities/snapraid/by-hand.js';
import { snapraidVersions } from '../../lab/places.js';
import { folderArray } from '../support/folder-array.js';
import { needs } from '../support/needs.js';

/** A disk that is rebuilt is in use meanwhile: what somebody has put there in a newer version is nowhere else. */

const skip = needs('snapraid');
const code = 'HF_NOT_APPROVED';

for (const { version, path: binary } of snapraidVersions())
  describe(`newer files on a disk that is rebuilt, snapraid ${version}`, { skip }, () => {
    /** With an empty disk in the place of d2. */
    function dead() {
      const { array, folder, d2 } = folderArray(binary);
      const before = Object.fromEntries(
        [0, 1, 2, 3, 4].map((at) => [`film ${at}.mkv`, readFileSync(join(d2, `film ${at}.mkv`))]),
      );
      for (const name of readdirSync(d2)) rmSync(join(d2, name));
      const runAs = (run: string, attempt = 1): SnapArray => ({
        ...array,
        tools: { ...array.tools, attempt },
        input: { ...array.input, run },
      });
      const inputOf = ({ input }: SnapArray) => ({
        ...input,
        action: 'replace-disk',
        settings: { disk: 'd2' },
      });
      const plan = (run: string) => planByHand(runAs(run), inputOf(runAs(run)));
      const act = (run: string, digest: string, attempt = 1) =>
        actByHand(runAs(run, attempt), { ...inputOf(runAs(run)), digest });
      const film = (at: number): string => join(d2, `film ${at}.mkv`);
      const isBack = (at: number): boolean =>
        readFileSync(film(at)).equals(before[`film ${at}.mkv`] ?? Buffer.alloc(0));
      return { array, folder, plan, act, film, isBack };
    }

    test('are shown before a second rebuild puts them back, and a version that nobody was shown stays', async () => {
      const { plan, act, film, isBack } = dead();
      await act('first', (await plan('first')).digest);
      const { lines, digest: nothingNewer } = await plan('second');
      assert.doesNotMatch(lines.join('\n'), /put back/);
      writeFileSync(film(1), 'newer');
      await assert.rejects(act('second', nothingNewer), { code });
      const shown = await plan('second');
      assert.match(
        shown.lines.join('\n'),
        /^1 files on d2 itself .*\n {2}is put back to what it was at the last sync: d2:film 1\.mkv$/m,
      );
      writeFileSync(film(1), 'newest');
      await assert.rejects(act('second', shown.digest), { code });
      assert.equal(readFileSync(film(1), 'utf8'), 'newest');
      rmSync(film(2));
      symlinkSync('film 3.mkv', film(2));
      const both = (await plan('second')).lines.join('\n');
      for (const at of [1, 2]) assert.match(both, new RegExp(`last sync: d2:film ${at}\\.mkv`));
      rmSync(film(2));
      await act('second', (await plan('second')).digest);
      for (const at of [0, 1, 2, 3, 4]) assert(isBack(at), `film ${at}`);
    });

    test('are not put back by a later attempt of a rebuild whose worker was killed, which finishes what that had begun', async () => {
      const { array, plan, act, film, isBack } = dead();
      const { digest } = await plan('first');
      await act('first', digest);
      writeFileSync(film(1), 'newer');
      await assert.rejects(act('first', digest, 2), {
        code,
        message:
          /^1 files of d2 were changed since its rebuild began.*: d2:film 1\.mkv\. Start it anew: it shows them$/,
      });
      assert.equal(readFileSync(film(1), 'utf8'), 'newer');
      rmSync(film(1));
      // As one that was killed leaves it: its log says what it was at.
      truncateSync(film(2), 30_000);
      const logs = join(array.tools.host.stateFolder, 'snapraid');
      mkdirSync(logs, { recursive: true });
      const log = [
        'version:12.4',
        'command:fix',
        'error:0:d2:film 0.mkv: Read error at position 0',
        'status:recovered:d2:film 0.mkv',
        'error:1:d2:film 2.mkv: Read error at position 0',
      ];
      writeFileSync(join(logs, 'first.media.fix.log'), `${log.join('\n')}\nerror:1:d2:fi`);
      assert.equal((await act('first', digest, 3)).recovered > 0, true);
      for (const at of [0, 1, 2, 3, 4]) assert(isBack(at), `film ${at}`);
      // It is whole since then: what changes now is not half written any more.
      writeFileSync(film(2), 'newer');
      await assert.rejects(act('first', digest, 4), { code });
    });

    test('that are written while it is rebuilt are named and kept; a file that rots meanwhile is no such one', async () => {
      const { array, folder, plan, act, film } = dead();
      const during = join(folder, 'during');
      const file = array.called.file;
      const real = readFileSync(file, 'utf8').replace('exec ', '');
      writeFileSync(
        file,
        `${real}code=$?\ncase "$*" in *' fix') [ ! -e '${during}' ] || . '${during}';; esac\nexit "$code"\n`,
      );
      chmodSync(file, 0o755);
      writeFileSync(
        during,
        `echo newer > '${film(1)}'\nrm '${film(2)}'\nmv '${film(3)}' '${film(3)}.moved'\n`,
      );
      const { proved, warnings } = await act('first', (await plan('first')).digest);
      assert.match(
        proved,
        /of 3 files that were changed, moved or deleted while it was rebuilt: .*d2:film 1\.mkv/,
      );
      assert.equal(warnings?.length, 1);
      assert.equal(readFileSync(film(1), 'utf8'), 'newer\n');
      writeFileSync(
        during,
        `m=$(stat -c %y '${film(4)}'); printf XXXX | dd of='${film(4)}' bs=1 seek=100 conv=notrunc status=none; touch -d "$m" '${film(4)}'; echo newer > '${film(1)}'\n`,
      );
      await assert.rejects(act('second', (await plan('second')).digest), { code: 'HF_ARRAY_DAMAGED' });
    });
  });
