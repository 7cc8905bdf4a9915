import { mustSucceed } from './classify.js';
import { isAtOrBelow } from './dataset-names.js';
import type { Claim } from './leftovers.js';
import { ownProperties, zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';

/** Partially received state keeps its space until somebody goes on with it or gives it up. */

const columns = `name,receive_resume_token,${ownProperties.replicaOf}`;

/** In all pools of a host, where our property says that the dataset is a replica of ours. */
export async function halfReceived({ host, signal, zfs }: Zfs): Promise<string[]> {
  const found: string[] = [];
  const command = zfsCommand(zfs, ['list', '-Hp', '-t', 'filesystem,volume', '-o', columns]);
  const result = await host.run(command, {
    signal,
    onLine(line, stream) {
      const [name = '', token = '-', of = '-'] = stream === 'stdout' ? line.split('\t') : [];
      if (token !== '-' && of !== '-') found.push(name);
    },
  });
  mustSucceed(result, 'list what is half received', host.name);
  return found;
}

/** What lies where no run of a job looks; the rest those tell themselves. Pure. */
export const goneOnByNobody = (datasets: readonly string[], claims: readonly Claim[]): string[] =>
  datasets.filter((dataset) => !claims.some(({ root }) => isAtOrBelow(dataset, root)));
