import pc from 'picocolors';
import { type Context, processContext } from '../../cli/context.js';
import { invoke } from '../../cli/invoke.js';

/** What a command left behind: its exit code and both streams, line by line. */
export interface Ended {
  exit: number;
  out: string;
  notes: string;
}

export interface Surroundings {
  /** A holdfast.yaml. */
  config?: string;
  stateFolder?: string;
  now?: () => Date;
  env?: NodeJS.ProcessEnv;
  interactive?: boolean;
  answer?: 'yes' | 'no' | 'interrupted';
  /** Lines for questions that want text; after the last one comes Ctrl-C. */
  lines?: readonly string[];
}

/** Runs the command line in this process, with a context that collects what it says. */
export async function holdfast(argv: readonly string[], around: Surroundings = {}): Promise<Ended> {
  const out: string[] = [];
  const notes: string[] = [];
  const lines = [...(around.lines ?? [])];
  const exit = await invoke(argv, (options) => {
    const real = processContext({ ...options, givenConfig: options.givenConfig ?? around.config });
    const fake: Partial<Context> = {
      env: around.env ?? {},
      terminal: false,
      interactive: around.interactive ?? false,
      colours: pc.createColors(false),
      out: (text) => void out.push(text),
      note: (text) => void notes.push(text),
      ask: async () => around.answer ?? 'no',
      askText: async (question) => {
        out.push(question);
        return lines.shift();
      },
      ...(around.stateFolder && { stateFolder: around.stateFolder }),
      ...(around.now && { now: around.now }),
    };
    return Object.assign(real, fake);
  });
  return { exit, out: out.join('\n'), notes: notes.join('\n') };
}
