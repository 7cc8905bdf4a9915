import { isUtf8Name } from './file-names.js';
import { tarReader } from './tar-stream.js';

/** A program of its own, so that the data of a copy does not pass through a worker: tar stream in, one line of JSON for each entry with attributes, or with a name that is no UTF-8, out. */

const reader = tarReader(({ path, records }) => {
  const told = [...records].filter(([key]) => key.startsWith('SCHILY.'));
  if (told.length === 0 && isUtf8Name(path)) return;
  const values = Object.fromEntries(told.map(([key, value]) => [key, value.toString('base64')]));
  process.stdout.write(`${JSON.stringify({ path, values })}\n`);
});

try {
  for await (const piece of process.stdin) reader.write(piece as Buffer);
  reader.end();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
