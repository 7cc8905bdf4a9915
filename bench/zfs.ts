import type { Figure } from './figures.js';
import { median } from './figures.js';
import { timed } from './measure.js';
import { type Effort, openSite, type Site } from './zfs-site.js';
import {
  type BySnapshots,
  barePipe,
  bzfs,
  holdfast,
  type Ours,
  pipe,
  type Replicator,
  runJob,
  sourceTree,
  syncoid,
} from './zfs-tools.js';

/** One tree of small datasets, copied by several tools that take turns; and one large dataset against a bare pipe. */
export interface ZfsBench {
  datasets: number;
  /** What is in each of them before the first copy: with little of it the starts of programs are all that is measured. */
  kilobytesEach: number;
  /** Left out: it takes minutes for each step. */
  isFast: boolean;
  /** How often each tool brings one new snapshot of each dataset, and finds nothing to do. */
  turns: number;
  /** Of the one large dataset; 0 leaves it out. */
  megabytes: number;
  /** Of each disk a second, as a hard disk; undefined: as many as the machine does. */
  diskOperations: number | undefined;
}

type Step = 'first copy' | 'one new snapshot each' | 'nothing to do';

interface Measured {
  tool: string;
  step: Step;
  seconds: number;
  effort: Effort;
}

export async function measureZfs(wanted: ZfsBench): Promise<Figure[]> {
  const site = await openSite(wanted.diskOperations);
  const turns = wanted.megabytes > 0 ? 2 : 0;
  try {
    await site.renew();
    const ours = await holdfast(site, turns);
    try {
      const small = await measureTree(site, ours, wanted);
      return [...small, ...(turns > 0 ? await measureBig(site, ours, wanted.megabytes, turns) : [])];
    } finally {
      await ours.estate.stop();
    }
  } finally {
    await site.stop();
  }
}

async function measureTree(
  site: Site,
  ours: Ours,
  { datasets, kilobytesEach, turns, isFast }: ZfsBench,
): Promise<Figure[]> {
  const at: BySnapshots = { before: undefined, now: 's0' };
  const bare = barePipe(site, at);
  const all = [bare, ours.replicator, await bzfs(site), await syncoid(site)];
  const tools = isFast ? all.filter(({ isSlow }) => !isSlow) : all;
  const done: Measured[] = [];
  await site.sh('grogu', 'zfs create backup/ours');
  await site.sh('din', treeOf(datasets, kilobytesEach));
  const step = async (what: Step, some: readonly Replicator[]): Promise<void> => {
    for (const tool of some) {
      await site.sh('din', 'sync');
      await site.sh('grogu', 'sync');
      done.push(await measureOne(site, tool, what));
      await assertArrived(site, tool, datasets, at.now);
    }
  };
  await step('first copy', tools);
  for (let turn = 1; turn <= turns; turn += 1) {
    // Who is slow is asked once; everybody is first at some time.
    const some = rotated(turn === 1 ? tools : tools.filter(({ isSlow }) => !isSlow), turn);
    at.before = at.now;
    at.now = `s${turn}`;
    await site.sh('din', changeOf(at.now));
    await step('one new snapshot each', some);
    await step(
      'nothing to do',
      some.filter((tool) => tool !== bare),
    );
  }
  const tree = `${datasets} datasets of ${kilobytesEach} kB`;
  return figuresOf(done, { tree, bare: bare.name, ours: ours.replicator.name });
}

async function measureOne(site: Site, tool: Replicator, step: Step): Promise<Measured> {
  site.takeEffort();
  const { seconds } = await timed(() => tool.replicate());
  const effort = site.takeEffort();
  process.stderr.write(`bench: ${step}, ${tool.name}: ${seconds.toFixed(1)} s, ${inWords(effort)}\n`);
  return { tool: tool.name, step, seconds, effort };
}

const inWords = ({ commands, processorSeconds }: Effort): string =>
  `${commands} remote commands, ${processorSeconds.toFixed(1)} s of their processors`;

const rotated = <T>(list: readonly T[], by: number): T[] => {
  const from = by % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
};

const treeOf = (datasets: number, kilobytesEach: number): string => `set -e
zfs create ${sourceTree}
for n in $(seq ${datasets - 1}); do zfs create ${sourceTree}/pvc-$n; done
for f in /${sourceTree} /${sourceTree}/*; do head -c ${kilobytesEach * 1000} /dev/urandom > $f/data; done
zfs snapshot -r ${sourceTree}@s0`;

const changeOf = (snapshot: string): string => `set -e
for f in /${sourceTree} /${sourceTree}/pvc-*; do head -c 20000 /dev/urandom > $f/more; done
zfs snapshot -r ${sourceTree}@${snapshot}`;

/** Not what a tool says of itself: the newest snapshot of every dataset, by its guid on both sides. */
async function assertArrived(
  site: Site,
  { name, target }: Replicator,
  datasets: number,
  snapshot: string,
): Promise<void> {
  const list = (root: string): string =>
    `zfs list -H -r -t snapshot -o guid,name ${root} | grep '@${snapshot}$' | cut -f1 | sort`;
  const [here, there] = await Promise.all([site.sh('din', list(sourceTree)), site.sh('grogu', list(target))]);
  const count = here.trim().split('\n').length;
  if (count !== datasets || here !== there) throw new Error(`${name} did not bring all of @${snapshot}`);
}

function figuresOf(
  done: readonly Measured[],
  { tree, bare, ours }: { tree: string; bare: string; ours: string },
): Figure[] {
  const steps: Step[] = ['first copy', 'one new snapshot each', 'nothing to do'];
  const of = (tool: string, step: Step): Measured[] =>
    done.filter((one) => one.tool === tool && one.step === step);
  const seconds = (tool: string, step: Step): number[] => of(tool, step).map((one) => one.seconds);
  return steps.flatMap((step) => {
    const part = `${tree}, ${step}`;
    const tools = [...new Set(done.filter((one) => one.step === step).map(({ tool }) => tool))];
    const effort = (tool: string): string => {
      const last = of(tool, step).at(-1);
      return last ? inWords(last.effort) : '';
    };
    const against = (what: string, other: string, wantedAtMost: number): Figure => ({
      part,
      what,
      unit: '×',
      values: [median(seconds(ours, step)) / median(seconds(other, step))],
      wantedAtMost,
      note: 'of the medians',
    });
    return [
      ...tools.map((tool) => ({
        part,
        what: tool,
        unit: 's' as const,
        values: seconds(tool, step),
        note: effort(tool),
      })),
      ...(step === 'nothing to do' ? [] : [against('holdfast to the bare pipe', bare, 1.25)]),
      against('holdfast to bzfs', 'bzfs', step === 'nothing to do' ? 0.5 : 1),
    ];
  });
}

/** The pool has room for two large copies, not for four. What arrived by us is held. */
const makeRoom = (site: Site, dataset: string): Promise<string> =>
  site.sh(
    'grogu',
    `set -e
zfs list -H -r -t snapshot -o name ${dataset} | while read -r s; do
  zfs holds -H "$s" | cut -f2 | while read -r tag; do zfs release "$tag" "$s"; done
done
zfs destroy -r ${dataset} && zpool wait -t free backup`,
  );

/** What a stream of some size takes: here the steps around it should not show any more. */
async function measureBig(site: Site, ours: Ours, megabytes: number, turns: number): Promise<Figure[]> {
  await site.renew();
  await site.sh(
    'din',
    `zfs create fast/big && head -c ${megabytes}M /dev/urandom > /fast/big/data && zfs snapshot fast/big@s0 && sync`,
  );
  const bare: number[] = [];
  const own: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    await site.sh('grogu', `zfs create backup/ours-${turn}`);
    const byHand = async () => {
      const work = () => pipe(site, 'zfs send -L -c fast/big@s0', `zfs receive -s -u backup/bare-${turn}`);
      bare.push((await timed(work)).seconds);
      await makeRoom(site, `backup/bare-${turn}`);
    };
    const byUs = async () => {
      own.push((await timed(() => runJob(ours.estate, `big-${turn}`))).seconds);
      await makeRoom(site, `backup/ours-${turn}`);
    };
    for (const side of turn % 2 === 0 ? [byHand, byUs] : [byUs, byHand]) await side();
  }
  const part = `one dataset of ${megabytes} MB`;
  return [
    { part, what: 'zfs send piped to zfs receive -s -u', unit: 's', values: bare },
    { part, what: 'holdfast run --follow', unit: 's', values: own },
    {
      part,
      what: 'holdfast to the bare pipe',
      unit: '×',
      values: [median(own) / median(bare)],
      wantedAtMost: 1.03,
      note: 'of the medians; the whole job, with its looks before and after',
    },
  ];
}
