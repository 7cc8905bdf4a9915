/** Which of the mounted file systems hold somebody's data. Pure. */

export interface Mount {
  path: string;
  type: string;
}

const dataTypes =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|bcachefs|nfs4?|cifs|smb3|exfat|vfat|ntfs3?|hfsplus|9p|fuse\..+|fuseblk|virtiofs)$/;
/** Of the system, of containers, or of a session: not what somebody calls a disk. */
const notData =
  /^\/(etc|usr|boot|efi|proc|sys|dev|run(?!\/media)|snap|tmp|var\/(lib\/(docker|containers|containerd|kubelet|lxcfs|lxc|snapd)|snap|log|tmp|cache))?(\/|$)/;
const notDataTypes = /^fuse\.(lxcfs|gvfsd-fuse|portal|snapfuse|fuse-overlayfs)$/;

/** From /proc/self/mountinfo; see proc(5) for its fields. */
export function dataMounts(mountinfo: string): Mount[] {
  const found = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ', 2);
    const path = unescaped(before.split(' ')[4] ?? '');
    const type = after.split(' ')[0] ?? '';
    if (!path.startsWith('/') || !dataTypes.test(type) || notDataTypes.test(type)) continue;
    if (path === '/' || notData.test(path)) continue;
    found.set(path, { path, type });
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The kernel writes space, tab, line break and backslash as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** A disk that is called so is more likely where copies go than what they are made of. */
const isTarget = ({ path }: Mount): boolean => /backup|back-up|sicherung|usb|extern/i.test(path);

/** What may be protected, and where copies may go: defaults to be confirmed, never taken by themselves. */
export const likelySource = (mounts: readonly Mount[]): string | undefined =>
  mounts.find((mount) => !isTarget(mount))?.path;
export const likelyTarget = (mounts: readonly Mount[]): string | undefined => mounts.find(isTarget)?.path;
