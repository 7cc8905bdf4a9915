import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secondsLeftAt, seedProgress } from '../../activities/restic/seed-progress.js';
import {
  isTaken,
  type Portion,
  portionsOf,
  type SourceNode,
  shortest,
} from '../../activities/restic/seed-split.js';
import type { Progress } from '../../contracts/jobs.js';
import { seeded } from '../support/content.js';

const names = ['-rf', 'a b', '[x]*?', 'new\nline', 'back\\slash', 'ü', '$HOME', '--', 'z', '0', 'x', 'xy'];

/** A tree of random shape: some folders cannot be cut, some are empty. */
function randomTree(next: () => number, path = '/srv/data', depth = 0): SourceNode {
  const isFile = depth > 0 && (depth > 3 || next() < 0.5);
  if (isFile) return { path, bytes: Math.floor(next() ** 4 * 1000), files: 1 };
  const taken = names.filter(() => next() < 0.5);
  const children = taken.map((name) => randomTree(next, `${path}/${name}`, depth + 1));
  const bytes = children.reduce((sum, child) => sum + child.bytes, 0);
  const files = children.reduce((sum, child) => sum + child.files, 0);
  return { path, bytes, files, ...(next() < 0.85 && { children }) };
}

/** What cannot be looked into is its own leaf. */
const leavesOf = ({ children, ...node }: SourceNode): SourceNode[] =>
  children && children.length > 0 ? children.flatMap(leavesOf) : [node];

const pathsUpTo = (root: SourceNode, portions: Portion[], last: number): string[] =>
  shortest(root, new Set(portions.slice(0, last + 1).flatMap(({ units }) => units.map(({ path }) => path))));

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

const trees = Array.from({ length: 300 }, (_, seed) => randomTree(seeded(seed)));

describe('the portions of a source', () => {
  test('hold every file exactly once, whatever the shape of the tree', () => {
    for (const root of trees) {
      const units = portionsOf(root, { bytes: 700, files: 4 }).flatMap((portion) => portion.units);
      for (const { path } of leavesOf(root).filter(({ files }) => files > 0)) {
        const holding = units.filter((unit) => isBelow(path, unit.path));
        assert.equal(holding.length, 1, `${path} is in ${holding.length} portions`);
      }
    }
  });

  test('are no larger than asked, but where something cannot be cut', () => {
    const bounds = { bytes: 700, files: 4 };
    for (const root of trees) {
      for (const portion of portionsOf(root, bounds)) {
        const sum = portion.units.reduce((bytes, unit) => bytes + unit.bytes, 0);
        assert.equal(portion.bytes, sum);
        const [only] = portion.units;
        const isWhole = portion.units.length === 1 && only !== undefined;
        assert.ok(isWhole || (portion.bytes <= bounds.bytes && portion.files <= bounds.files));
      }
    }
  });

  test('add up: the paths of the first n name exactly what is in them, and all of them name the source itself', () => {
    for (const root of trees.slice(0, 60)) {
      const portions = portionsOf(root, { bytes: 700, files: 4 });
      for (const [last] of portions.entries()) {
        const paths = pathsUpTo(root, portions, last);
        const taken = portions.map((portion) => portion.files === 0 || isTaken(portion, paths));
        const wanted = portions.map((portion, at) => portion.files === 0 || at <= last);
        assert.deepEqual(taken, wanted);
      }
      assert.deepEqual(
        pathsUpTo(root, portions, portions.length - 1),
        portions.length > 0 ? [root.path] : [],
      );
    }
  });

  test('that are done stay done when the source has grown', () => {
    const file = (path: string, bytes: number): SourceNode => ({ path, bytes, files: 1 });
    const folder = (path: string, ...children: SourceNode[]): SourceNode => ({
      path,
      bytes: children.reduce((sum, child) => sum + child.bytes, 0),
      files: children.length,
      children,
    });
    const grown = folder(
      '/s',
      folder('/s/0'),
      folder('/s/a', file('/s/a/1', 9), file('/s/a/2', 9)),
      file('/s/b', 9),
    );
    const done = portionsOf(grown, { bytes: 9, files: 9 }).map((portion) =>
      isTaken(portion, ['/s/a', '/s/0']),
    );
    assert.deepEqual(done, [true, true, false]);
    // A name that begins like one that is done is another one.
    assert.equal(isTaken({ units: [file('/s/ab', 1)], bytes: 1, files: 1 }, ['/s/a']), false);
  });

  test('of the whole machine are cut like any other', () => {
    const root = {
      path: '/',
      bytes: 2,
      files: 2,
      children: ['/a', '/b'].map((path) => ({ path, bytes: 1, files: 1 })),
    };
    const portions = portionsOf(root, { bytes: 1, files: 1 });
    assert.deepEqual(
      portions.map((portion) => isTaken(portion, ['/a'])),
      [true, false],
    );
    assert.deepEqual(
      portions.map((portion) => isTaken(portion, ['/'])),
      [true, true],
    );
  });
});

describe('the progress of a first upload', () => {
  const at = {
    phase: 'seeding, portion 2 of 3',
    bytesBefore: 1000,
    portionBytes: 500,
    bytesTotal: 3000,
    filesTotal: 30,
    readBefore: 900,
    bytesPerSecondBefore: 10,
  };
  const told = (...counts: number[]): Partial<Progress>[] => {
    const all: Partial<Progress>[] = [];
    const hear = seedProgress({ progress: (progress) => void all.push(progress) }, at);
    for (const bytesDone of counts) hear({ bytesDone, filesDone: 3 });
    return all;
  };

  test('is no more than before while restic goes over what is there', () => {
    const [first] = told(500);
    assert.deepEqual([first?.bytesDone, first?.newBytes, first?.bytesTotal], [1000, 0, 3000]);
  });

  test('grows by what is new, and by no more than the portion', () => {
    assert.deepEqual(
      told(1000, 9000).map(({ bytesDone, newBytes }) => [bytesDone, newBytes]),
      [
        [1100, 100],
        [1500, 8100],
      ],
    );
  });

  test('tells the time left by the rate of the portion before, until this one has its own', () => {
    assert.equal(told(1000)[0]?.secondsLeft, 190);
    assert.equal(secondsLeftAt(100, 0), undefined);
  });
});
