import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';
import { readRunLog } from '../../system/log.js';
import { markUndone, openUndos } from './undo.js';

/** What a host is asked outside of any run's own steps: its logs, and what ended runs have left changed. */

/** Puts one former state back; must be safe to do twice. */
export type PutBack = (
  host: Host,
  what: string,
  former: Record<string, unknown>,
  run: string,
) => Promise<void>;

export interface QuestionOptions {
  host: Host;
  /** The door for short questions: see run.ts. */
  answer: <O>(body: () => Promise<O>) => Promise<O>;
  /** By the kind of the thing: what stands before the colon of `what` ("container:web"). */
  putBack: Readonly<Record<string, PutBack>>;
}

/** Histories hold what is returned: 16 KB at most, the newest lines. */
const maxLogCharacters = 16_000;

export interface OpenUndo {
  run: string;
  what: string;
}

export function createHostQuestions({ host, answer, putBack }: QuestionOptions) {
  return {
    hostReadRunLog: ({ run, lines }: { run: string; lines: number }): Promise<string[]> =>
      answer(async () => {
        const found = parseRunId(run) && (await readRunLog(host.driver.stateFolder, run, lines));
        if (!found)
          throw new HoldfastError(
            'HF_RUN_NOT_FOUND',
            `Host ${host.name} has no log of "${run.slice(0, 100)}"`,
          );
        return newest(found, maxLogCharacters);
      }),

    hostOpenUndos: (): Promise<OpenUndo[]> =>
      answer(async () => (await openUndos(host)).map(({ run, what }) => ({ run, what }))),

    /** The former state comes from the host's own journal, never from who asks. */
    hostPutBack: ({ run, what }: OpenUndo): Promise<void> =>
      answer(async () => {
        const [open] = (await openUndos(host, run)).filter((undo) => undo.what === what);
        if (!open) return;
        const [kind = ''] = what.split(':');
        const action = putBack[kind];
        if (!action)
          throw new HoldfastError(
            'HF_NOT_IN_CONFIG',
            `Host ${host.name} does not know how to put "${what}" back`,
          );
        await action(host, what, open.former, run);
        await markUndone(host, run, what);
      }),
  };
}

function newest(lines: string[], characters: number): string[] {
  let length = 0;
  const from = lines.findLastIndex((line) => {
    length += line.length + 1;
    return length > characters;
  });
  return lines.slice(from + 1);
}
