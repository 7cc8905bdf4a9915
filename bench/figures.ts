import { cpus, totalmem } from 'node:os';

/** What was measured, beside what was wanted. */

export interface Figure {
  part: string;
  what: string;
  unit: 's' | 'MB' | 'KB' | '×' | 'starts' | 'commands' | 'events' | '% CPU' | 'MB/s';
  /** One for each repetition. */
  values: number[];
  /** The most that it should be; absent when nothing was wished for. */
  wantedAtMost?: number;
  note?: string;
}

/** The middle of what was measured: one run that something else disturbed does not change it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

const digits: Record<Figure['unit'], number> = {
  s: 2,
  MB: 0,
  KB: 1,
  '×': 3,
  starts: 0,
  commands: 0,
  events: 0,
  '% CPU': 2,
  'MB/s': 0,
};

const heads = ['what', 'wanted', 'median', 'min', 'max', 'times', ''];

/** A table that reads well on a terminal and as Markdown alike. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = figures.map(rowOf);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = line(
    widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  );
  return [line(heads), rule, ...rows.map(line)].join('\n');
}

const isNumber = (column: number): boolean => column >= 1 && column <= 5;
const pad = (text: string, width: number, column: number): string =>
  isNumber(column) ? text.padStart(width) : text.padEnd(width);

function rowOf({ part, what, unit, values, wantedAtMost, note = '' }: Figure): string[] {
  const show = (value: number): string => `${value.toFixed(digits[unit])} ${unit}`;
  const missed = wantedAtMost !== undefined && median(values) > wantedAtMost;
  return [
    `${part}: ${what}`,
    wantedAtMost === undefined ? '' : `≤ ${show(wantedAtMost)}`,
    show(median(values)),
    ...(values.length > 1 ? [show(Math.min(...values)), show(Math.max(...values))] : ['', '']),
    `${values.length}`,
    [missed ? 'missed' : '', note].filter((words) => words !== '').join('; '),
  ];
}

/** Figures mean little without the machine that they are from. */
export function machine(tools: Record<string, string>): Record<string, string> {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    processors: `${cpus().length} × ${first?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    ...tools,
  };
}
