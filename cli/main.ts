import { invoke } from './invoke.js';

/** The process: bin/holdfast.js loads this file. A reader that goes away (`| head`) is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const exitCode = await invoke(process.argv.slice(2));
// Waiting calls (a result that is still awaited after Ctrl-C) must not hold the process; what was printed must be out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
