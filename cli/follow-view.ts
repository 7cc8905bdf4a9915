import { MultiBar, type SingleBar } from 'cli-progress';
import type { Context } from './context.js';
import { fractionOf, type LineFollower, lineFollower } from './follow-lines.js';
import { bytes } from './render.js';
import { type Snapshot, waitOfRun } from './snapshot.js';
import { duration } from './time.js';

/** Where a followed run is drawn. */
export interface FollowView {
  update(snapshot: Snapshot): void;
  say(line: string): void;
  close(): void;
}

/** A bar below the lines on a terminal, lines alone in a pipe, nothing when JSON was asked for. */
export function followView(context: Context, lines = linesFor(context)): FollowView {
  if (context.json) return { update: () => undefined, say: () => undefined, close: () => undefined };
  return context.terminal ? terminalView(lines) : pipeView(context, lines);
}

/** What was said once is not said again: who looks at a run twice hands the same one on. */
export const linesFor = ({ terminal }: Context): LineFollower => lineFollower({ progress: !terminal });

function pipeView(context: Context, lines: LineFollower): FollowView {
  return {
    update: (snapshot) => {
      for (const line of lines(snapshot)) context.out(line);
    },
    say: (line) => context.out(line),
    close: () => undefined,
  };
}

function terminalView(lines: LineFollower): FollowView {
  const bars = new MultiBar({
    format: '{bar} {percent}  {step}  {rate}  {left}',
    barCompleteChar: '━',
    barIncompleteChar: '─',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
    fps: 5,
  });
  let bar: SingleBar | undefined;
  let closed = false;
  const say = (line: string): void => bars.log(`${line}\n`);
  return {
    update: (snapshot) => {
      for (const line of lines(snapshot)) say(line);
      bar ??= bars.create(1000, 0, barTexts(snapshot));
      bar.update(Math.round(fractionNow(snapshot) * 1000), barTexts(snapshot));
      bars.update();
    },
    say,
    close: () => {
      if (!closed) bars.stop();
      closed = true;
    },
  };
}

const progressNow = (snapshot: Snapshot) => snapshot.pending.find((step) => step.progress)?.progress;
const fractionNow = (snapshot: Snapshot): number => {
  const progress = progressNow(snapshot);
  return progress ? fractionOf(progress) : 0;
};

function barTexts(snapshot: Snapshot): Record<string, string> {
  const progress = progressNow(snapshot);
  const step = snapshot.report?.steps.find(({ state }) => state === 'running')?.name;
  return {
    percent: progress ? `${Math.floor(fractionOf(progress) * 100)} %`.padStart(5) : '     ',
    step: waitOfRun(snapshot) ?? step ?? progress?.phase ?? snapshot.pending[0]?.activity ?? '',
    rate: progress && progress.bytesPerSecond > 0 ? `${bytes(progress.bytesPerSecond)}/s` : '',
    left: progress?.secondsLeft ? `${duration(progress.secondsLeft * 1000)} left` : '',
  };
}
