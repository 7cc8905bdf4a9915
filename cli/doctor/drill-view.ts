import type { DrillReport, DrillScene } from '../../contracts/doctor.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { printable } from '../printable.js';
import { table } from '../render.js';

type View = Pick<Context, 'json' | 'out' | 'terminal' | 'colours'>;

/** The table of scenes, their messages and the verdict; answers the exit code. A scene that was not played has not passed. */
export function showDrill(context: View, run: string, report: DrillReport): number {
  const skipped = report.scenes.filter((scene) => scene.skipped).length;
  const wrong = report.scenes.filter((scene) => !scene.passed && !scene.skipped).length;
  const passed = report.scenes.length > 0 && wrong === 0 && skipped === 0;
  if (context.json) context.out(JSON.stringify({ run, passed, ...report }, null, 2));
  else
    for (const line of drillLines(context, report, verdictOf({ passed, wrong, skipped }))) context.out(line);
  if (!report.removed || report.scenes.length === skipped || wrong > 0) return exitCodes.failed;
  return passed ? exitCodes.done : exitCodes.warnings;
}

interface Counted {
  passed: boolean;
  wrong: number;
  skipped: number;
}

function verdictOf({ passed, wrong, skipped }: Counted): string {
  const without = skipped > 0 ? `, and ${skipped} could not be played here` : '';
  if (passed) return 'Every message came';
  return wrong > 0 ? `NOT every message came${without}` : `Every message that was played came${without}`;
}

function drillLines(context: View, { scenes, sample, removed }: DrillReport, verdict: string): string[] {
  const rows = scenes.map((scene) => [
    scene.skipped ? 'skipped' : scene.passed ? 'came' : 'FAILED',
    scene.mishap,
    scene.came,
    scene.endState,
  ]);
  const gone = removed
    ? 'everything of the drill is removed again'
    : 'the scratch folder could NOT be removed';
  return [
    table(context, ['message', 'mishap', 'code', 'afterwards'], rows),
    ...scenes.flatMap(messagesOf).map(printable),
    `${verdict}. Sample: ${sample}; ${gone}.`,
  ];
}

function messagesOf({ mishap, message, passed, skipped, expected }: DrillScene): string[] {
  if (skipped) return [`${mishap}: not played: ${message}`];
  return [
    ...(message ? [`${mishap}: ${message}`] : []),
    ...(passed ? [] : [`${mishap}: ${expected} should have come, with the end state as it should be`]),
  ];
}
