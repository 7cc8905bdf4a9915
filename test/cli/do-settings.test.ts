import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionLines, findAction, settingsOf } from '../../cli/do-settings.js';
import type { Action } from '../../config/actions.js';

const action: Action = {
  name: 'park',
  summary: 'put it aside',
  settings: [
    { name: 'disk', summary: 'which disk', example: 'd2', required: true },
    { name: 'path', summary: 'which path', example: 'films/' },
  ],
};

test('a value may hold "=", spaces and a leading dash', () => {
  assert.deepEqual(settingsOf(action, ['disk=-d 2', 'path=a=b c/']), { disk: '-d 2', path: 'a=b c/' });
});

const refused: [string[], RegExp][] = [
  [[], /needs --set disk=…: which disk/],
  [['disk'], /takes NAME=VALUE, not "disk"/],
  [['=d2'], /takes NAME=VALUE, not "=d2"/],
  [['dsk=d2'], /no setting "dsk"; did you mean "disk"\?/],
  [['__proto__=d2'], /no setting "__proto__"/],
  [['disk=d2', 'disk=d3'], /--set disk was given twice/],
  [['disk='], /--set disk takes 1 to 1000 characters/],
  [[`disk=${'x'.repeat(1001)}`], /--set disk takes 1 to 1000 characters/],
];

for (const [given, message] of refused)
  test(`--set ${JSON.stringify(given).slice(0, 60)} is refused with words`, () => {
    assert.throws(() => settingsOf(action, given), { code: 'HF_USAGE', message });
  });

test('an unknown action is answered with the nearest one and with all there are', () => {
  assert.throws(() => findAction('replica', [action], 'prak'), {
    code: 'HF_USAGE',
    message: /no action "prak"; did you mean "park"\?; it has: park/,
  });
  assert.throws(() => findAction('photos', [], 'park'), { message: /no action "park"; there are none/ });
});

test('the list shows each action with its settings', () => {
  assert.match(
    actionLines('replica', [action]).join('\n'),
    /park +put it aside\n +--set disk=d2 +which disk \(needed\)/,
  );
  assert.deepEqual(actionLines('photos', []), ['photos: there is nothing to do by hand']);
});
