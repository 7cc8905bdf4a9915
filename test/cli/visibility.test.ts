import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTypes } from '../../cli/visibility.js';
import { workflowTypes } from '../../contracts/names.js';
import { typeOfOperation } from '../../schedules/compile.js';
import { typeOfAction } from '../../schedules/compile-action.js';

test('the list of runs knows every procedure that a schedule or a human can start', () => {
  const started = [
    ...Object.values(typeOfOperation).flatMap((types) => Object.values(types)),
    ...Object.values(typeOfAction),
    workflowTypes.restoreRestic,
    workflowTypes.restoreDatasets,
    workflowTypes.initialiseStore,
  ];
  assert(started.length > 10);
  assert.deepEqual(
    started.filter((type) => !runTypes.includes(type)),
    [],
  );
});
