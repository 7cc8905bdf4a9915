import { type Command, flagOf, listOf, requiredText, textOf } from '../command.js';

export const restore: Command = {
  name: 'restore',
  summary: 'Bring a copy back into a new or empty folder and compare it',
  details:
    'Chooses the newest copy, or the one of --copy or --at, shows the plan, asks, restores, and compares what was restored ' +
    'with what the copy holds. Nothing is ever overwritten. Follows to the end; Ctrl-C stops the showing, never the run.',
  arguments: [
    {
      name: 'JOB[/RESOURCE]',
      key: 'what',
      summary: 'the job, and which of its resources when it has several',
    },
  ],
  options: [
    {
      flags: '--to <HOST:PLACE>',
      summary:
        'an absolute path of a new or empty folder on that host; or, for a replica, the dataset that it is sent back to',
    },
    { flags: '--store <STORE>', summary: 'from which store, when the job has several' },
    { flags: '--copy <ID>', summary: 'this copy: its id or the beginning of it' },
    {
      flags: '--at <TIME>',
      summary: 'the newest copy not younger: local time of this machine, or ISO 8601 with a zone',
    },
    { flags: '--path <P>', summary: 'only this path, relative to the resource', repeat: true },
    {
      flags: '--first <P>',
      summary: 'this path before all else, whole and compared in DIR.first while the rest still comes',
      repeat: true,
    },
    {
      flags: '--map-ids <MAP>',
      summary:
        'give owners and groups other ids: FROM:TO:COUNT, uid=… or gid=… for one of them; the host must list it (mapIds)',
      repeat: true,
    },
    {
      flags: '--compare-attributes',
      summary:
        'compare access lists and attributes even where that reads all the data again (the plan says so)',
    },
    { flags: '--yes', summary: 'take the plan as approved' },
    {
      flags: '--in-place',
      summary:
        'onto the resource itself, where its host allows it (restoreInPlace): what is there is moved aside and kept',
    },
    {
      flags: '--clone',
      summary: 'of snapshots and replicas: as datasets beside the original; --to HOST:DATASET names them',
    },
    { flags: '--undo <RUN>', summary: 'bring back what the restore in place of this run moved aside' },
  ],
  examples: [
    {
      line: 'holdfast restore photos-offsite --path 2024/ --to nas:/tmp/r',
      shows: 'one folder of the newest copy',
    },
    {
      line: 'holdfast restore photos-offsite --at "2026-11-19 12:00" --to nas:/tmp/r --yes',
      shows: 'all as of that noon',
    },
    {
      line: 'holdfast restore web-rootfs --map-ids 0:100000:65536 --to nas:/mnt/restore/web',
      shows: 'as an unprivileged container sees it',
    },
    {
      line: 'holdfast restore kubernetes-to-grogu --to din:fast/kubernetes',
      shows: 'a replica back to a pool that was rebuilt, with all its snapshots',
    },
    {
      line: 'holdfast restore kubernetes-hourly --in-place --at "2026-11-19 12:00"',
      shows: 'datasets as of that noon; what is there now goes aside',
    },
    {
      line: 'holdfast restore photos-offsite --in-place',
      shows: 'onto the folder itself; what is there now is kept beside it',
    },
  ],
  json: true,
  async run(context, values) {
    const { restoreInput } = await import('../restore-input.js');
    const { restoreAndFollow } = await import('../restore-run.js');
    const config = await context.config();
    const input = restoreInput(config, {
      what: requiredText(values, 'what'),
      to: textOf(values, 'to'),
      store: textOf(values, 'store'),
      copy: textOf(values, 'copy'),
      at: textOf(values, 'at'),
      paths: listOf(values, 'path'),
      first: listOf(values, 'first'),
      approved: flagOf(values, 'yes'),
      inPlace: flagOf(values, 'inPlace'),
      clone: flagOf(values, 'clone'),
      undo: textOf(values, 'undo'),
      mapIds: listOf(values, 'mapIds'),
      compareAttributes: flagOf(values, 'compareAttributes'),
    });
    return restoreAndFollow(context, input);
  },
};
