import { HoldfastError } from '../../contracts/errors.js';
import { type Command, flagOf, listOf, requiredText, textOf, type Values } from '../command.js';

export const rescue: Command = {
  name: 'rescue',
  summary:
    'Restore with nothing but a repository and its password, or a pool of replicas: no server, no worker, no configuration',
  details:
    '"rescue restic": "snapshots" lists the copies of Holdfast, "restore" brings one back into a new or empty folder of this machine and compares it like any ' +
    'restore, "config" prints the newest holdfast.yaml that lies beside the backups. The password comes from --password-file, from ' +
    "RESTIC_PASSWORD and its kind, or is asked for; the store's own credentials from their usual variables (AWS_…, B2_…). " +
    '"rescue zfs", on the machine of the replicas or over --ssh: "replicas" lists what lies there, "restore" copies files out of a snapshot ' +
    'of one into a new or empty folder of this machine and compares them, "clone" makes writable datasets of a snapshot beside it, "send" brings it whole to a new or older dataset; no replica is changed. ' +
    'Each shows its plan and waits until the first 8 characters of its digest are typed.',
  arguments: [
    { name: 'TOOL', key: 'tool', summary: 'restic or zfs' },
    {
      name: 'WHAT',
      key: 'what',
      summary: 'of restic: snapshots, restore or config; of zfs: replicas, restore, clone or send',
    },
    {
      name: 'OF',
      key: 'of',
      summary:
        'restic: JOB[/RESOURCE], which of them when there are several; zfs: the replica (for "replicas" a pool)',
      optional: true,
    },
  ],
  options: [
    { flags: '--repository <ADDRESS>', summary: 'restic: as restic takes it; default RESTIC_REPOSITORY' },
    {
      flags: '--password-file <FILE>',
      summary: 'restic: blanks and line breaks around it are no part of the password',
    },
    { flags: '--restic <PROGRAM>', summary: 'restic: its path, when it is not on PATH' },
    {
      flags: '--ssh <PLACE>',
      summary: 'zfs: the machine of the replicas, [USER@]ADDRESS[:PORT]; default this one',
    },
    {
      flags: '--key <FILE>',
      summary: 'zfs: private key for ssh, without a passphrase; default ~/.ssh/id_ed25519',
    },
    { flags: '--known-hosts <FILE>', summary: 'zfs: keys of hosts; default ~/.ssh/known_hosts' },
    {
      flags: '--sudo <PROGRAM>',
      summary: 'zfs: a program that needs "sudo -n" there: zfs, mount, umount, …',
      repeat: true,
    },
    {
      flags: '--to <TARGET>',
      summary: 'restore: a new or empty folder of this machine; clone and send: the dataset that is made',
    },
    {
      flags: '--to-ssh <PLACE>',
      summary: 'zfs send: the machine of that dataset, [USER@]ADDRESS[:PORT]; default this one',
    },
    {
      flags: '--copy <ID>',
      summary: 'this copy: of restic an id or the beginning of it, of zfs the name of a snapshot',
    },
    { flags: '--at <TIME>', summary: 'the newest copy not younger' },
    { flags: '--path <P>', summary: 'only this path, relative to the resource', repeat: true },
    {
      flags: '--map-ids <MAP>',
      summary: 'restic restore: give owners and groups other ids: FROM:TO:COUNT, uid=… or gid=…',
      repeat: true,
    },
    {
      flags: '--compare-attributes',
      summary: 'restic restore: compare access lists and attributes even where that reads all the data again',
    },
    {
      flags: '--yes <DIGEST>',
      summary: 'take the plan of this digest (8 characters or more) as approved',
    },
  ],
  examples: [
    {
      line: 'holdfast rescue restic snapshots --repository /mnt/usb/photos --password-file /media/key/photos',
      shows: 'what a repository holds',
    },
    {
      line: 'holdfast rescue restic restore photos-offsite --repository /mnt/usb/photos --to /mnt/new/photos',
      shows: 'the newest copy; the password is asked for',
    },
    {
      line: 'holdfast rescue restic config --repository /mnt/usb/photos',
      shows: 'the configuration of the house that burned',
    },
    { line: 'holdfast rescue zfs replicas', shows: 'the replicas on this machine, and how old they are' },
    {
      line: 'holdfast rescue zfs restore backup/kubernetes --path pvc-1/data --to /mnt/out',
      shows: 'files out of the newest snapshot of a replica',
    },
    {
      line: 'holdfast rescue zfs clone backup/kubernetes --ssh root@grogu --to backup/look',
      shows: 'a writable clone of the replica on another machine',
    },
    {
      line: 'holdfast rescue zfs send backup/kubernetes --to-ssh root@din --to fast/kubernetes',
      shows: 'the whole replica to a rebuilt machine',
    },
  ],
  json: true,
  async run(context, values) {
    const tool = requiredText(values, 'tool');
    const words = wordsOf(values);
    if (tool === 'restic') {
      refuseOthers(tool, values, zfsOnly);
      const { carryOutRescue } = await import('../rescue/rescue.js');
      return carryOutRescue(context, requiredText(values, 'what'), words);
    }
    if (tool !== 'zfs')
      throw new HoldfastError(
        'HF_USAGE',
        'Only "holdfast rescue restic …" and "holdfast rescue zfs …" are there',
      );
    refuseOthers(tool, values, resticOnly);
    const { carryOutZfsRescue } = await import('../rescue/zfs.js');
    return carryOutZfsRescue(context, requiredText(values, 'what'), words);
  },
};

const resticOnly = {
  repository: '--repository',
  passwordFile: '--password-file',
  restic: '--restic',
  mapIds: '--map-ids',
  compareAttributes: '--compare-attributes',
};
const zfsOnly = {
  ssh: '--ssh',
  toSsh: '--to-ssh',
  key: '--key',
  knownHosts: '--known-hosts',
  sudo: '--sudo',
};

/** What would have no effect was meant otherwise. */
function refuseOthers(tool: string, values: Values, others: Record<string, string>): void {
  const given = Object.entries(others).find(
    ([key]) => textOf(values, key) !== undefined || flagOf(values, key) || listOf(values, key).length > 0,
  );
  if (given) throw new HoldfastError('HF_USAGE', `"holdfast rescue ${tool}" does not take ${given[1]}`);
}

function wordsOf(values: Values) {
  const of = textOf(values, 'of');
  return {
    of,
    copyOf: of,
    repository: textOf(values, 'repository'),
    passwordFile: textOf(values, 'passwordFile'),
    program: textOf(values, 'restic'),
    ssh: textOf(values, 'ssh'),
    toSsh: textOf(values, 'toSsh'),
    key: textOf(values, 'key'),
    knownHosts: textOf(values, 'knownHosts'),
    sudo: listOf(values, 'sudo'),
    to: textOf(values, 'to'),
    copy: textOf(values, 'copy'),
    at: textOf(values, 'at'),
    paths: listOf(values, 'path'),
    mapIds: listOf(values, 'mapIds'),
    compareAttributes: flagOf(values, 'compareAttributes'),
    yes: textOf(values, 'yes'),
  };
}
