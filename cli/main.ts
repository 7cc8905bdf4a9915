import { exitCodes } from './exit-codes.js';
import { invoke } from './invoke.js';

/** The process: bin/holdfast.js loads this file. Who reads no more (`| head`) has not seen the end: that is no success. */
const exitAfter = (error: NodeJS.ErrnoException): never =>
  process.exit(error.code === 'EPIPE' ? exitCodes.readerGone : exitCodes.failed);
for (const stream of [process.stdout, process.stderr]) stream.on('error', exitAfter);

const exitCode = await invoke(process.argv.slice(2));
// Waiting calls (a result that is still awaited after Ctrl-C) must not hold the process; what was printed must be out.
process.stdout.write('', (lost) => {
  // The callback comes before the event.
  if (lost) exitAfter(lost);
  process.stderr.write('', () => process.exit(exitCode));
});
