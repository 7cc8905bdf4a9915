import { spawnTied } from './spawn.js';

/** A program at a real terminal (a pty of script(1)), for what behaves otherwise in a pipe. */
export interface Terminal {
  /** Keys as a keyboard sends them: "\r" or "\n" is Enter, "\t" Tab, "\u0003" Ctrl-C. */
  type(keys: string): void;
  /** Waits until what was shown since the last call matches, and gives it back. */
  until(pattern: RegExp): Promise<string>;
  /** Everything that was shown, without what only a terminal understands. */
  screen(): string;
  /** Waits for the end of the program; its exit code. */
  ended(): Promise<number | null>;
  end(): void;
}

export function openTerminal(
  shellCommand: string,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Terminal {
  const child = spawnTied('script', ['-qec', shellCommand, '/dev/null'], {
    ...options,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let text = '';
  let seen = 0;
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    type: (keys) => void child.stdin?.write(keys),
    until: async (pattern) => {
      const found = await waitFor(() => pattern.test(plain(text.slice(seen))), child);
      const shown = plain(text.slice(seen));
      if (!found) throw new Error(`${pattern} was not shown, but: ${JSON.stringify(shown)}`);
      seen = text.length;
      return shown;
    },
    screen: () => plain(text),
    ended: () => ended,
    end: () => void child.kill('SIGKILL'),
  };
}

async function waitFor(condition: () => boolean, child: { exitCode: number | null }): Promise<boolean> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline || child.exitCode !== null) return condition();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

const plain = (screen: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would take for its own
  screen.replace(/\u001b(\[[0-9;?]*[A-Za-z]|[=>])|[\u0007\r]/g, '');
