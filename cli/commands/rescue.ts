import { HoldfastError } from '../../contracts/errors.js';
import { type Command, flagOf, listOf, requiredText, textOf } from '../command.js';

export const rescue: Command = {
  name: 'rescue',
  summary:
    'Restore with nothing but the address and the password of a repository: no server, no worker, no configuration',
  details:
    '"snapshots" lists the copies of Holdfast, "restore" brings one back into a new or empty folder of this machine and compares it like any ' +
    'restore, "config" prints the newest holdfast.yaml that lies beside the backups. The password comes from --password-file, from ' +
    "RESTIC_PASSWORD and its kind, or is asked for; the store's own credentials from their usual variables (AWS_…, B2_…). " +
    'A restore shows its plan and waits until the first 8 characters of its digest are typed.',
  arguments: [
    { name: 'TOOL', key: 'tool', summary: 'restic' },
    { name: 'WHAT', key: 'what', summary: 'snapshots, restore or config' },
    {
      name: 'JOB[/RESOURCE]',
      key: 'copyOf',
      summary: 'of which job, and which of its resources when there are several',
      optional: true,
    },
  ],
  options: [
    { flags: '--repository <ADDRESS>', summary: 'as restic takes it; default RESTIC_REPOSITORY' },
    { flags: '--password-file <FILE>', summary: 'its last line break is not part of the password' },
    { flags: '--restic <PROGRAM>', summary: 'the path of restic, when it is not on PATH' },
    { flags: '--to <DIR>', summary: 'restore: a new or empty folder of this machine' },
    { flags: '--copy <ID>', summary: 'restore: this copy, by its id or the beginning of it' },
    { flags: '--at <TIME>', summary: 'restore: the newest copy not younger' },
    { flags: '--path <P>', summary: 'restore: only this path, relative to the resource', repeat: true },
    {
      flags: '--map-ids <MAP>',
      summary: 'restore: give owners and groups other ids: FROM:TO:COUNT, uid=… or gid=…',
      repeat: true,
    },
    {
      flags: '--compare-attributes',
      summary: 'restore: compare access lists and attributes even where that reads all the data again',
    },
    {
      flags: '--yes <DIGEST>',
      summary: 'restore: take the plan of this digest (8 characters or more) as approved',
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
  ],
  json: true,
  async run(context, values) {
    const tool = requiredText(values, 'tool');
    if (tool !== 'restic') throw new HoldfastError('HF_USAGE', 'Only "holdfast rescue restic …" is there');
    const { carryOutRescue } = await import('../rescue/rescue.js');
    return carryOutRescue(context, requiredText(values, 'what'), {
      copyOf: textOf(values, 'copyOf'),
      repository: textOf(values, 'repository'),
      passwordFile: textOf(values, 'passwordFile'),
      program: textOf(values, 'restic'),
      to: textOf(values, 'to'),
      copy: textOf(values, 'copy'),
      at: textOf(values, 'at'),
      paths: listOf(values, 'path'),
      mapIds: listOf(values, 'mapIds'),
      compareAttributes: flagOf(values, 'compareAttributes'),
      yes: textOf(values, 'yes'),
    });
  },
};
