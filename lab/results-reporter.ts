/** A reporter of node's test runner: one line of JSON for each test that ended, for what we say about the whole at the end. */

export interface TestResult {
  name: string;
  /** Of the compiled test. */
  file: string;
  /** 0: no test around it. */
  nesting: number;
  seconds: number;
  /** Why it was skipped; absent when it ran. */
  skipped?: string;
}

interface Ended {
  type: string;
  data: {
    name?: string;
    nesting?: number;
    file?: string;
    skip?: string | boolean;
    details?: { duration_ms?: number };
  };
}

export default async function* results(events: AsyncIterable<Ended>): AsyncGenerator<string> {
  for await (const { type, data } of events)
    if (type === 'test:pass' || type === 'test:fail') yield `${JSON.stringify(resultOf(data))}\n`;
}

function resultOf({ name = '', file = '', nesting = 0, skip, details }: Ended['data']): TestResult {
  const seconds = (details?.duration_ms ?? 0) / 1000;
  const why = typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
  return { name, file, nesting, seconds, ...(skip !== undefined && skip !== false && { skipped: why }) };
}
