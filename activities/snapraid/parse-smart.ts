import { parseTag } from './parse.js';

/** What `smartctl --json` and `snapraid smart` say of disks. Pure. */

export interface SmartFacts {
  /** The disk itself says that it fails: nothing is written to it any more. */
  isFailing: boolean;
  trouble?: string;
  temperature?: number;
}

/** Sectors that are lost or about to be; the numbers are those of ATA. */
const badSectors: Record<number, string> = {
  5: 'reallocated sectors',
  187: 'uncorrectable errors',
  197: 'pending sectors',
  198: 'unreadable sectors',
};

/** Bits of the critical warning in the log of an NVMe disk, from the lowest on. */
const criticalWarnings = [
  'its spare blocks run out',
  'its temperature is beyond its limits',
  'it is no longer reliable',
  'it is read-only',
  'its cache lost its backup power',
  'its persistent memory is unreliable',
];

/** Attributes of ATA that are temperatures: of the air, of the disk. */
const heat = [190, 194];

/** smartctl calls each of them FAILED, but a disk that is only too hot is none that must be replaced. */
const tooHot = 0b10;

interface SmartJson {
  smart_status?: { passed?: boolean };
  temperature?: { current?: number };
  ata_smart_attributes?: {
    table?: { id: number; name: string; when_failed?: string; raw?: { value?: number } }[];
  };
  nvme_smart_health_information_log?: { critical_warning?: number; media_errors?: number };
}

/** undefined when it says nothing about health: no such device, no SMART. */
export function parseSmartctl(text: string): SmartFacts | undefined {
  const json = readJson(text);
  const passed = json?.smart_status?.passed;
  if (passed === undefined) return undefined;
  const table = json?.ata_smart_attributes?.table ?? [];
  const beyond = table.filter(({ when_failed }) => when_failed === 'now');
  const isHot = beyond.some(({ id }) => heat.includes(id));
  const failed = beyond.filter(({ id }) => !heat.includes(id)).map(({ name }) => name);
  const counts = table.flatMap(({ id, raw }) => {
    const words = badSectors[id];
    return words !== undefined && (raw?.value ?? 0) > 0 ? [`${raw?.value} ${words}`] : [];
  });
  const { media_errors = 0, critical_warning = 0 } = json?.nvme_smart_health_information_log ?? {};
  if (media_errors > 0) counts.push(`${media_errors} media errors`);
  const isFailing = (!passed && critical_warning !== tooHot) || failed.length > 0;
  const words = [
    ...(passed || !isFailing ? [] : ['its own check says FAILED']),
    ...(failed.length > 0 ? [`failing now: ${failed.join(', ')}`] : []),
    ...(isHot ? [criticalWarnings[1] ?? ''] : []),
    ...warningsIn(critical_warning),
    ...counts,
  ];
  const temperature = json?.temperature?.current;
  return {
    isFailing,
    ...(words.length > 0 && { trouble: words.join(', ') }),
    ...(temperature !== undefined && { temperature }),
  };
}

function warningsIn(bits: number): string[] {
  const all = [...bits.toString(2)].reverse();
  return all.flatMap((bit, at) =>
    bit === '1' ? [criticalWarnings[at] ?? `critical warning ${2 ** at}`] : [],
  );
}

function readJson(text: string): SmartJson | undefined {
  try {
    return JSON.parse(text) as SmartJson;
  } catch {
    return undefined;
  }
}

interface SnapraidDisk {
  disk: string;
  device: string;
  failureProbability?: number;
  temperature?: number;
  trouble?: string;
  /** snapraid has asked, and nothing was answered. */
  unknown?: true;
}

/**
 * `attr:DEVICE:DISK:NAME:VALUE` and `smart:DEVICE:DISK`; names that are numbers are attributes of the disk, others are snapraid's own. A disk
 * may lie on several devices, such as a parity that is split: each is told by itself.
 */
export function snapraidSmart(lines: readonly string[]): SnapraidDisk[] {
  const disks = new Map<string, Told>();
  for (const line of lines) {
    const { name, values } = parseTag(line);
    const [device = '', disk = '', what = '', value = '', second = ''] = values;
    if ((name !== 'attr' && name !== 'smart') || disk === '') continue;
    const key = `${device}:${disk}`;
    const known = disks.get(key) ?? { disk, device };
    disks.set(key, { ...known, ...(name === 'attr' && told(what, Number(value), Number(second))) });
  }
  return [...disks.values()].map(({ flags = noAnswer, hasAttributes = false, ...disk }) => ({
    ...disk,
    ...((flags & notAsked || (flags & noAnswer && !hasAttributes)) && { unknown: true as const }),
    ...(flags & (fails | belowLimit) && { trouble: 'smartctl says that it fails or is about to' }),
  }));
}

interface Told extends SnapraidDisk {
  /** smartctl's exit code. */
  flags?: number;
  hasAttributes?: true;
}

/** Bits of it: it could not ask the disk at all; the disk refused an answer, perhaps that of its health; it fails; an attribute is below its limit. */
const [notAsked, noAnswer, fails, belowLimit] = [0b11, 0b100, 0b1000, 0b10000];

function told(what: string, number: number, second: number): Partial<Told> {
  if (!Number.isFinite(number)) return {};
  if (what === 'flags') return { flags: number };
  // How many such disks fail within a year, and the probability that this one does.
  if (what === 'afr' && Number.isFinite(second)) return { failureProbability: Math.round(second * 100) };
  // The upper bytes of the raw value are the coldest and the hottest it ever was.
  const temperature = temperatures.includes(what) && number > 0 ? { temperature: number % 256 } : {};
  return { ...temperature, ...(/^\d+$/.test(what) && { hasAttributes: true }) };
}

/** Of the air around it, of the disk, and since version 14 what snapraid makes of them: the last one that is told counts. */
const temperatures = ['190', '194', 'temperature'];

/** Whether every disk was told to sleep, and took it: snapraid 12 ends with 0 when none did. `smartctl:DEVICE:DISK:run: …` and `…:ret: 0`. */
export function areAllAsleep(lines: readonly string[]): boolean {
  const tags = lines.map(parseTag).filter(({ name }) => name === 'smartctl');
  const told = tags.filter(({ values }) => values[2] === 'run').length;
  const took = tags.filter(({ values }) => values[2] === 'ret' && Number(values[3]) === 0).length;
  return told > 0 && took === told;
}
