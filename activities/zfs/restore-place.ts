import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { datasetForm } from '../../contracts/names.js';
import { isBelow } from './dataset-names.js';

/** Which datasets a host lets a restore bring into being: nothing that exists is ever replaced, so only the name matters. */

/** One beside the original (`own`, on this host) whose name goes on with "-restored", or one below hosts.NAME.restoreDatasets. */
export function allowedDataset(
  config: Config,
  host: string,
  own: string | undefined,
  dataset: string,
): string {
  if (!datasetForm.test(dataset) || dataset.length > 200)
    throw refused(dataset, 'it is not the name of a dataset');
  if (own !== undefined && dataset.startsWith(`${own}-restored`) && !dataset.slice(own.length).includes('/'))
    return dataset;
  const places = config.hosts[host]?.restoreDatasets ?? [];
  if (places.some((place) => isBelow(dataset, place))) return dataset;
  const beside = own === undefined ? '' : `${own}-restored… and `;
  throw refused(dataset, `allowed are ${beside}what lies below hosts.${host}.restoreDatasets`);
}

const refused = (dataset: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_TARGET_REFUSED',
    `The host does not restore to the dataset "${dataset.slice(0, 100)}": ${why}`.slice(0, 300),
  );
