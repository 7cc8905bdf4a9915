import { quoted } from './lab-host.js';

/** Scripts for a guest: the datasets that one test file has for itself. */

export const makeParents = (parents: readonly string[]): string =>
  `for parent in ${quoted(parents)}; do zfs create "$parent" || exit 1; done`;

/** Holds are taken off first; a receive whose sender died a moment ago may still keep its dataset busy, so that it is tried for a minute. */
export const removeParents = (parents: readonly string[]): string => `
tab=$(printf '\\t')
for parent in ${quoted(parents)}; do
  zfs get -H -r -t snapshot -o name,value userrefs "$parent" | while IFS=$tab read -r snapshot count; do
    [ "$count" = 0 ] || zfs holds -H "$snapshot" | while IFS=$tab read -r name tag time; do zfs release "$tag" "$name"; done
  done
  for try in $(seq 60); do zfs destroy -R "$parent" && break; sleep 1; done 2>/dev/null
  ! zfs list "$parent" >/dev/null 2>&1 || exit 1
done`;
