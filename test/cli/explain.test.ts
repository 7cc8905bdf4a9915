import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors } from '../../contracts/errors.js';
import { holdfast } from './command-line.js';

const nowhere = { config: '/nonexistent/holdfast.yaml' };

describe('holdfast explain', () => {
  test('lists the sections, without any configuration', async () => {
    const { out, exit } = await holdfast(['explain'], nowhere);
    assert.match(out, /^hosts\t.*Machines, by name$/m);
    assert.match(out, /^jobs\t/m);
    assert.equal(exit, 0);
  });

  test('shows one key for people and for scripts', async () => {
    const { out, exit } = await holdfast(['explain', 'objective.check'], nowhere);
    assert.match(out, /^jobs\.NAME\.objective\.check\nHow old the newest clean check may be\n/);
    assert.match(out, /^example +35d$/m);
    assert.equal(exit, 0);
    const { keys } = JSON.parse((await holdfast(['explain', 'objective.check', '--json'], nowhere)).out);
    assert.deepEqual(keys, [
      {
        path: 'jobs.NAME.objective.check',
        type: 'duration',
        description: 'How old the newest clean check may be',
        required: false,
        example: '35d',
        keys: [],
      },
    ]);
  });

  test('ends with 2 where several keys fit, with 3 where none does', async () => {
    const several = await holdfast(['explain', 'timezone']);
    assert.match(several.notes, /jobs\.NAME\.schedule\.timezone, jobs\.NAME\.prune\.timezone/);
    assert.equal(several.exit, 2);
    const none = await holdfast(['explain', 'jobs.x.retry_fro']);
    assert.match(none.notes, /did you mean jobs\.NAME\.retryFor\?/);
    assert.equal(none.exit, 3);
  });

  for (const [code, { meaning, exit, next }] of Object.entries(errors))
    test(`knows what ${code} means and what to do`, async () => {
      const ended = await holdfast(['explain', code.toLowerCase()]);
      for (const part of [code, meaning, next, `${exit}: `]) assert.ok(ended.out.includes(part), ended.out);
      assert.match(ended.out, /^tried again +(yes|no)\b/m);
      assert.equal(ended.exit, 0);
    });

  test('gives an error as JSON, and for one that does not exist the nearest', async () => {
    const { out } = await holdfast(['explain', 'HF_NO_SPACE', '--json']);
    assert.deepEqual(JSON.parse(out), { code: 'HF_NO_SPACE', ...errors.HF_NO_SPACE });
    const { notes, exit } = await holdfast(['explain', 'HF_WRONG_PASWORD']);
    assert.match(notes, /did you mean "HF_WRONG_PASSWORD"\?/);
    assert.equal(exit, 3);
  });
});
