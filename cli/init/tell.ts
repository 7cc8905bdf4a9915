import { credentialFile, type Findings } from '../../config/starter.js';
import { credentialVariables, storeName } from '../../config/starter-names.js';
import { printable } from '../printable.js';
import type { Told } from './answers.js';

/** What init says before it asks and after it has written. Pure. */

export function foundLines({ host, restic, pools, snapraid, syncthing, docker, mounts }: Findings): string[] {
  const disks = mounts.slice(0, 10).map(({ path, type }) => `${path} (${type})`);
  return [
    `This machine is called ${host}.`,
    resticLine(restic),
    ...(disks.length > 0
      ? [
          `Mounted: ${disks.join(', ')}${mounts.length > disks.length ? `, and ${mounts.length - disks.length} more` : ''}`,
        ]
      : []),
    ...(pools.length > 0 ? [`ZFS pools: ${pools.join(', ')}`] : []),
    ...(snapraid ? [`SnapRAID: ${snapraid.file}`] : []),
    ...(syncthing === undefined ? [] : [`Syncthing: ${syncthing}`]),
    ...(docker ? ['Docker'] : []),
  ].map(printable);
}

function resticLine(restic: Findings['restic']): string {
  if (!restic) return 'restic was not found: install it (0.14 or newer) before the first run.';
  const old = restic.tooOld ? ', which is too old: 0.14 or newer is needed' : '';
  return `restic ${restic.version} at ${restic.path}${old}`;
}

export interface Written {
  output: string;
  /** Commands find it without being told. */
  isUsualPlace: boolean;
  told: Told;
  job: string;
}

export function writtenLines({ output, isUsualPlace, told, job }: Written): string[] {
  const { passwordFile, makePassword, repository } = told;
  const config = isUsualPlace
    ? ''
    : ` --config ${/^[\w./@-]+$/.test(output) ? output : JSON.stringify(output)}`;
  const store = storeName(repository);
  const credentials = credentialVariables(repository).map(
    ({ variable, suffix }) => `put ${variable} into ${credentialFile(passwordFile, suffix)} (chmod 600)`,
  );
  const steps = [
    ...credentials,
    `holdfast check${config}`,
    `holdfast up${config}   (leave it running; the next ones in another terminal)`,
    `holdfast init-store ${store}${config}   (once; not when the repository is there already)`,
    `holdfast run ${job} --follow${config}`,
  ];
  return [
    `written: ${output}`,
    makePassword
      ? `written: ${passwordFile}, a new random password that was shown to nobody`
      : `the password is read from ${passwordFile}`,
    'Keep a copy of the password outside of this house: without it the backup is noise.',
    '',
    'next:',
    ...steps.map((step) => `  ${step}`),
  ].map(printable);
}
