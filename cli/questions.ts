import { createInterface } from 'node:readline';

/** Several questions at one terminal: one reader for all of them, so that lines typed ahead are not lost. */
export interface Questions {
  /** undefined after Ctrl-C or the end of what can be read. */
  ask(question: string): Promise<string | undefined>;
  close(): void;
}

export function openQuestions(): Questions {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const typedAhead: string[] = [];
  let waiting: ((line: string | undefined) => void) | undefined;
  let over = false;
  const answer = (line: string | undefined): void => {
    const resolve = waiting;
    waiting = undefined;
    resolve?.(line);
  };
  reader.on('line', (line) => (waiting ? answer(line) : typedAhead.push(line)));
  reader.on('SIGINT', () => reader.close());
  reader.on('close', () => {
    over = true;
    answer(undefined);
  });
  return {
    ask: (question) => {
      process.stdout.write(question);
      const line = typedAhead.shift();
      if (line !== undefined || over) return Promise.resolve(line);
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    close: () => reader.close(),
  };
}
