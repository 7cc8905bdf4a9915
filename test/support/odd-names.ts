import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A name of a file that every shell must be told about carefully. */
export const oddName = "it's a $(touch x) file.yaml";

const configurationWith = (trap: string): string => `
hosts: { nas: {}, attic: {}, "$(touch ${trap})": {}, "-x": {} }
resources: { photos: { host: nas, directory: /p }, notes: { host: nas, directory: /n } }
stores: { usb: {}, b2-photos: {} }
jobs:
  photos-offsite: { resources: [photos] }
  everything: { resources: [photos, notes, "; rm -rf ~"] }
  "\`touch ${trap}\`": {}
  "a b": {}
  "--yes": {}
  "\\u001b[31mred": {}
  ? [a, list]
  : {}
`;

/** A configuration whose names are there to be run by a careless shell, under two file names, and one that is broken. */
export function writeOddNames(folder: string): { configuration: string; trap: string } {
  // Made by whoever runs what stands in a name.
  const trap = join(folder, 'sprung');
  const configuration = configurationWith(trap);
  writeFileSync(join(folder, oddName), configuration);
  writeFileSync(join(folder, 'holdfast.yaml'), configuration);
  writeFileSync(join(folder, 'broken.yaml'), 'jobs: [}\n*&!');
  return { configuration, trap };
}
