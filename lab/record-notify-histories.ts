import { notificationId } from '../contracts/names.js';
import { startEstate } from '../test/support/estate.js';
import { httpReceiver } from '../test/support/receivers.js';
import { runIn } from '../test/support/run-watch.js';
import { record } from './record.js';

/** Records histories of messages, and of runs that send some; see record-histories.ts. */

const receiver = await httpReceiver();
const estate = await startEstate({
  change(config) {
    config.notifications = {
      hook: { webhook: { url: `${receiver.url}/hook` }, on: ['question', 'failed', 'warnings', 'ok'] },
    };
  },
});
const run = async (...args: string[]): Promise<string> => runIn((await estate.holdfast(...args)).stdout);
try {
  // There is no repository yet.
  const failed = await run('run', 'photos-offsite', '--follow');
  await record(estate, 'backupRestic', 'told-that-it-failed', failed);
  await record(estate, 'notifyPeople', 'sent', notificationId(failed, 'hook', 'failed'));
  receiver.answer = () => ({ status: 401, body: 'no' });
  const refused = await run('run', 'photos-offsite', '--only', 'check', '--follow');
  await record(estate, 'notifyPeople', 'refused', notificationId(refused, 'hook', 'failed'));
  receiver.answer = () => ({ status: 200 });
  await estate.holdfast('init-store', 'vault');
  await record(
    estate,
    'backupRestic',
    'told-that-it-is-done',
    await run('run', 'photos-offsite', '--follow'),
  );
  const target = `nas:${estate.folder}/restores/one`;
  await record(
    estate,
    'restoreRestic',
    'told-that-it-asks',
    await run('restore', 'photos-offsite', '--to', target),
  );
} finally {
  await estate.stop();
  await receiver.stop();
}
