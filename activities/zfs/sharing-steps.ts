import { isAtOrBelow } from './dataset-names.js';
import type { MiddlewareCall, SharingRead } from './sharing-read.js';

/** What a human does on the other machine, because no replica brings it: targets, extents, portals, exports, shares. Pure. */

export interface Moved {
  sourceRoot: string;
  targetRoot: string;
  /** Of the source, by dataset, where they are mounted. */
  mountpoints: Readonly<Record<string, string>>;
  /** Where a dataset of the target will be mounted, as far as it is known. */
  placeOf(dataset: string): string | undefined;
}

type Row = Record<string, unknown>;

/** One line for each thing; none for what lies elsewhere. */
export function stepsByHand(saved: SharingRead, moved: Moved): string[] {
  return [
    ...iscsiSteps(saved, moved),
    ...pathSteps(saved, 'sharing.nfs.query', moved, nfsWords),
    ...pathSteps(saved, 'sharing.smb.query', moved, (row) => `SMB share "${text(row.name)}"`),
    ...(saved.exports ?? []).flatMap((line) => exportStep(line, moved)),
    ...lioSteps(saved.lio, moved),
  ];
}

const rowsOf = (saved: SharingRead, call: MiddlewareCall): Row[] =>
  (saved.middleware?.[call] ?? []).filter((row): row is Row => typeof row === 'object' && row !== null);

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

const newName = (dataset: string, { sourceRoot, targetRoot }: Moved): string =>
  `${targetRoot}${dataset.slice(sourceRoot.length)}`;

/** "zvol/fast/k8s/pvc+1" is the volume "fast/k8s/pvc 1": a device has a plus for a blank, which no name in a pool can have itself. */
function volumeOf(device: string, { sourceRoot }: Moved): string | undefined {
  const name = device.replace(/^\/dev\//, '').replace(/^zvol\//, '');
  const plain = name.replaceAll('+', ' ');
  return name !== device && isAtOrBelow(plain, sourceRoot) ? plain : undefined;
}

/** The dataset whose mount point a path lies below, and the rest of the path. */
function placeOf(
  path: string,
  { mountpoints, sourceRoot }: Moved,
): { dataset: string; rest: string } | undefined {
  const [best] = Object.entries(mountpoints)
    .filter(
      ([dataset, at]) => at.startsWith('/') && isAtOrBelow(dataset, sourceRoot) && isAtOrBelow(path, at),
    )
    .sort(([, one], [, other]) => other.length - one.length);
  return best && { dataset: best[0], rest: path.slice(best[1].length) };
}

function newPlace(path: string, moved: Moved): string | undefined {
  const place = placeOf(path, moved);
  if (!place) return undefined;
  const dataset = newName(place.dataset, moved);
  const at = moved.placeOf(dataset);
  return at === undefined ? `dataset ${dataset}${place.rest}` : `${at}${place.rest}`;
}

function iscsiSteps(saved: SharingRead, moved: Moved): string[] {
  const targets = new Map(rowsOf(saved, 'iscsi.target.query').map((row) => [row.id, row]));
  const portals = new Map(rowsOf(saved, 'iscsi.portal.query').map((row) => [row.id, row]));
  const links = rowsOf(saved, 'iscsi.targetextent.query');
  return rowsOf(saved, 'iscsi.extent.query').flatMap((extent) => {
    const now = extentPlace(extent, moved);
    if (now === undefined) return [];
    const own = links.filter(({ extent: id }) => id === extent.id);
    const lines = own.map((link) => targetWords(targets.get(link.target), link, portals));
    const what = `extent "${text(extent.name)}" on ${now} (was ${text(extent.disk) || text(extent.path)}), serial ${text(extent.serial)}${naaWords(extent)}, block size ${text(extent.blocksize)}${extent.ro === true ? ', read-only' : ''}`;
    return lines.length === 0
      ? [`iSCSI ${what}; no target had it`]
      : lines.map((line) => `iSCSI ${line}: ${what}`);
  });
}

const naaWords = ({ naa }: Row): string => (text(naa) === '' ? '' : `, NAA ${text(naa)}`);

function extentPlace(extent: Row, moved: Moved): string | undefined {
  if (text(extent.type) === 'FILE') return newPlace(text(extent.path), moved);
  const volume = volumeOf(text(extent.disk) || text(extent.path), moved);
  return volume === undefined ? undefined : `volume ${newName(volume, moved)}`;
}

function targetWords(target: Row | undefined, link: Row, portals: ReadonlyMap<unknown, Row>): string {
  if (!target) return `target of id ${text(link.target)}, LUN ${text(link.lunid)}`;
  const groups = Array.isArray(target.groups) ? (target.groups as Row[]) : [];
  const listen = groups.flatMap(({ portal }) => listenOf(portals.get(portal)));
  const chap = groups.some(({ authmethod }) => !['', 'NONE'].includes(text(authmethod)));
  const at = listen.length === 0 ? 'no portal' : `portal ${listen.join(', ')}`;
  return `target "${text(target.name)}" LUN ${text(link.lunid)}, ${at}${chap ? ', with CHAP, whose secret is not kept here' : ''}`;
}

const listenOf = (portal: Row | undefined): string[] =>
  (Array.isArray(portal?.listen) ? (portal.listen as Row[]) : []).map(
    ({ ip, port }) => `${text(ip)}:${text(port) || '3260'}`,
  );

function pathSteps(
  saved: SharingRead,
  call: MiddlewareCall,
  moved: Moved,
  words: (row: Row) => string,
): string[] {
  return rowsOf(saved, call).flatMap((row) => {
    // Until 22.12 an export had several paths.
    const paths = [row.path, ...(Array.isArray(row.paths) ? row.paths : [])].map(text);
    const state = row.enabled === false ? ', which was switched off' : '';
    return paths.flatMap((path) => {
      const now = newPlace(path, moved);
      return now === undefined ? [] : [`${words(row)} of ${now} (was ${path})${state}`];
    });
  });
}

function nfsWords(row: Row): string {
  const list = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(' ') : '');
  const whom = [list(row.networks), list(row.hosts)].filter((one) => one !== '').join(' ') || 'everybody';
  const as = text(row.maproot_user) || text(row.mapall_user);
  return `NFS export for ${whom}${row.ro === true ? ', read-only' : ''}${as === '' ? '' : `, mapped to ${as}`}`;
}

/** `"/srv/with blank" host(options)`, or `/srv/with\040blank host(options)`. */
function exportStep(line: string, moved: Moved): string[] {
  const [, quoted, plain = '', rest = ''] = /^(?:"([^"]*)"|(\S+))\s*(.*)$/.exec(line) ?? [];
  const path =
    quoted ??
    plain.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const now = newPlace(path, moved);
  return now === undefined
    ? []
    : [`NFS export of ${now} (was ${path}) for ${rest || 'everybody'}, in /etc/exports`];
}

/** targetcli: backstores, and the targets whose LUNs they are. */
function lioSteps(lio: unknown, moved: Moved): string[] {
  const { storage_objects: objects, targets } = (lio ?? {}) as { storage_objects?: Row[]; targets?: Row[] };
  if (!Array.isArray(objects)) return [];
  return objects.flatMap((object) => {
    const device = text(object.dev);
    const volume = volumeOf(device, moved);
    const now = volume === undefined ? newPlace(device, moved) : `volume ${newName(volume, moved)}`;
    if (now === undefined) return [];
    const name = `/backstores/${text(object.plugin)}/${text(object.name)}`;
    const what = `backstore "${text(object.name)}" on ${now} (was ${device}), serial ${text(object.wwn)}`;
    const users = lunsOf(Array.isArray(targets) ? targets : [], name);
    return users.length === 0
      ? [`iSCSI ${what}; no target had it`]
      : users.map((line) => `iSCSI ${line}: ${what}`);
  });
}

function lunsOf(targets: Row[], storageObject: string): string[] {
  const list = (value: unknown): Row[] => (Array.isArray(value) ? (value as Row[]) : []);
  return targets.flatMap((target) =>
    list(target.tpgs).flatMap((group) =>
      list(group.luns)
        .filter(({ storage_object: object }) => object === storageObject)
        .map(({ index }) => {
          const at = list(group.portals).map(({ ip_address: ip, port }) => `${text(ip)}:${text(port)}`);
          return `target "${text(target.wwn)}" LUN ${text(index)}, portal ${at.join(', ') || 'none'}`;
        }),
    ),
  );
}
