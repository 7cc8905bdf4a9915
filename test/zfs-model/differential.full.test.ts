import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Side } from '../../activities/zfs/replicate-ends.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { useZfsLab } from '../support/zfs-lab.js';
import { picture, play, type Step, type World2 } from './both.js';
import { cloneSnapshot, promote } from './clones.js';
import { calm, ModelEnds } from './ends.js';
import { Pool, World, ZfsError } from './pool.js';
import { scripts } from './scripts.js';

/** The model of two pools against real ones: the same scripts, and after every step the same answer and the same picture. */

const lab = useZfsLab();
const { skip } = lab;
after(closeOwnHosts);

const children = ['a', 'b', 'secret'];

function modelWorld(sourceRoot: string, targetRoot: string): World2 {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const [pool, root] of [
    [source, sourceRoot],
    [target, targetRoot],
  ] as const)
    for (let at = root.indexOf('/'); at > 0; at = root.indexOf('/', at + 1) || -1)
      if (!pool.datasets.has(root.slice(0, at))) pool.create(root.slice(0, at));
  source.create(sourceRoot);
  target.create(targetRoot);
  for (const child of children) source.create(`${sourceRoot}/${child}`, { encrypted: child === 'secret' });
  const poolOf = (side: Side): Pool => (side === 'source' ? source : target);
  const tried = async (body: () => void): Promise<boolean> => {
    try {
      body();
      return true;
    } catch (error) {
      if (error instanceof ZfsError) return false;
      throw error;
    }
  };
  const endsWith = (cut: number | undefined): ModelEnds =>
    new ModelEnds(source, sourceRoot, target, targetRoot, { ...calm, cut: () => cut });
  return {
    ends: endsWith(undefined),
    cutting: endsWith(0.5),
    write: (side, dataset) =>
      tried(() => {
        poolOf(side).dataset(dataset).written += 100;
      }),
    rollback: (side, snapshot) => tried(() => poolOf(side).rollback(snapshot)),
    snapshot: (side, snapshot) => tried(() => poolOf(side).takeSnapshot(snapshot)),
    destroy: (side, snapshot) => tried(() => poolOf(side).destroySnapshot(snapshot)),
    clone: (side, snapshot, to) => tried(() => cloneSnapshot(poolOf(side), snapshot, to)),
    promote: (side, dataset) => tried(() => promote(poolOf(side), dataset)),
  };
}

async function realWorld(sourceRoot: string, targetRoot: string): Promise<World2> {
  const { signal } = new AbortController();
  const [din, grogu] = [ownHost(lab.din), ownHost(lab.grogu)];
  const tools = { signal, zfs: 'zfs', zpool: 'zpool' };
  const endsWith = (cutAfter?: number) =>
    hostEnds({
      source: { host: din, ...tools },
      target: { host: grogu, ...tools },
      sourceRoot,
      targetRoot,
      ...(cutAfter !== undefined && {
        wire: async () => ({ onSource: [{ file: 'head', args: ['-c', String(cutAfter)] }], onTarget: [] }),
      }),
    });
  const labOf = (side: Side) => (side === 'source' ? lab.din : lab.grogu);
  const tried = async (side: Side, script: string): Promise<boolean> =>
    (await labOf(side).ask(script)).code === 0;
  await lab.din.sh(`zfs create -p '${sourceRoot}'`);
  await lab.grogu.sh(`zfs create -p '${targetRoot}'`);
  for (const child of children)
    await lab.din.sh(
      child === 'secret'
        ? `echo 'a pass phrase' | zfs create -o encryption=on -o keyformat=passphrase '${sourceRoot}/${child}'`
        : `zfs create '${sourceRoot}/${child}'`,
    );
  return {
    ends: endsWith(),
    // Its half is far beyond what a stream begins with, and far from the end of what "write" has written.
    cutting: endsWith(400_000),
    write: (side, dataset) =>
      tried(
        side,
        `set -e; d='${dataset}'
        if [ ${side} = target ]; then zfs set readonly=off "$d"; zfs mount "$d" 2>/dev/null || :; fi
        dd if=/dev/urandom of="$(zfs get -Ho value mountpoint "$d")/$(date +%s%N)" bs=64k count=16 2>/dev/null
        sync; zpool sync; if [ ${side} = target ]; then zfs unmount "$d"; fi`,
      ),
    rollback: (side, snapshot) => tried(side, `zfs rollback -r '${snapshot}'`),
    snapshot: (side, snapshot) => tried(side, `zfs snapshot '${snapshot}'`),
    destroy: (side, snapshot) => tried(side, `zfs destroy '${snapshot}'`),
    clone: (side, snapshot, to) => tried(side, `zfs clone '${snapshot}' '${to}'`),
    promote: (side, dataset) => tried(side, `zfs promote '${dataset}'`),
  };
}

const look = async ({ ends }: World2): Promise<string[]> => {
  const [source, target] = await Promise.all([ends.list('source'), ends.list('target')]);
  return picture(source, target);
};

/** "S" and "T" stand for the roots. */
function placed(step: Step, source: string, target: string): Step {
  const full = (word: string): string => word.replace(/^S\//, `${source}/`).replace(/^T\//, `${target}/`);
  const words = 'words' in step ? { words: step.words.map(full) } : {};
  const name = 'name' in step ? { name: full(step.name) } : {};
  const to = 'to' in step ? { to: full(step.to) } : {};
  return {
    ...step,
    ...words,
    ...name,
    ...to,
    ...('target' in step && { target: full(step.target) }),
  } as Step;
}

let count = 0;
for (const [title, steps] of Object.entries(scripts))
  test(`the model and real pools agree: ${title}`, { skip }, async () => {
    count += 1;
    const source = `${lab.din.parents.fast}/same ${count}`;
    const target = `${lab.grogu.parents.backup}/same ${count}`;
    const [model, real] = [modelWorld(source, target), await realWorld(source, target)];
    const told: string[] = [];
    for (const [at, plain] of steps.entries()) {
      const step = placed(plain, source, target);
      const [expected, came] = [await play(model, step), await play(real, step)];
      told.push(`${at + 1} ${JSON.stringify(plain)}: model ${expected}, zfs ${came}`);
      assert.equal(expected, came, told.join('\n'));
      if (plain.do === 'send' || plain.do === 'resume' || at === steps.length - 1)
        assert.deepEqual(await look(model), await look(real), told.join('\n'));
    }
  });
