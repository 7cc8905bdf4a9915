import type { Readable } from 'node:stream';
import { HoldfastError } from '../contracts/errors.js';
import { redact } from './redact.js';

/** What one program prints: lines as they come, a bounded rest to keep. */

const tailBytes = 4096;
const defaultMaxStdoutBytes = 16 * 2 ** 20;

export interface OutputOptions {
  onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  log?: ((line: string) => void) | undefined;
  secrets?: readonly string[] | undefined;
  maxStdoutBytes?: number | undefined;
  bytes?: boolean | undefined;
}

export class Output {
  private readonly kept: string[] = [];
  private bytes = 0;
  private tail = '';
  private tailIsCut = false;
  private failed = false;

  constructor(
    private readonly file: string,
    private readonly options: OutputOptions,
    /** Ends the program: it prints too much, or a listener threw. */
    private readonly fail: (error: Error) => void,
  ) {}

  /** With `after`, what comes before that text is a login script's and not the program's. */
  readStdout(stream: Readable, after?: string): void {
    const { onLine, maxStdoutBytes, bytes } = this.options;
    const maxBytes = maxStdoutBytes ?? (onLine ? 0 : defaultMaxStdoutBytes);
    readLines(
      stream,
      (line) => this.tell(line, 'stdout', onLine),
      (chunk) => {
        // What comes until it has ended is of no use to anybody.
        if (maxBytes === 0 || this.failed) return;
        this.bytes += bytes ? chunk.length : Buffer.byteLength(chunk);
        if (this.bytes > maxBytes) this.giveUp(tooMuch(this.file, maxBytes));
        else this.kept.push(chunk);
      },
      { after, encoding: bytes ? 'latin1' : 'utf8' },
    );
  }

  /** `own` hears each line first and says whether it was for us alone. */
  readStderr(stream: Readable, own?: (line: string) => boolean): void {
    const { onLine, log, secrets } = this.options;
    readLines(
      stream,
      (line) => {
        if (own?.(line)) return;
        if (own) this.addToTail(`${line}\n`);
        const clean = redact(line, secrets);
        this.tell(clean, 'stderr', onLine);
        this.tell(clean, 'stderr', log);
      },
      (chunk) => {
        if (!own) this.addToTail(chunk);
      },
      { encoding: 'utf8' },
    );
  }

  result(): { stdout: string; stderrTail: string } {
    const clean = redact(this.tail, this.options.secrets);
    const end = clean.slice(-tailBytes);
    const isCut = this.tailIsCut || clean.length > tailBytes;
    return { stdout: this.kept.join(''), stderrTail: isCut ? wholeLines(end) : end };
  }

  /** Twice as much as is handed back: a secret that is cut in two is not known again. */
  private addToTail(text: string): void {
    const all = this.tail + text;
    this.tail = all.slice(-2 * tailBytes);
    this.tailIsCut ||= all.length > this.tail.length;
  }

  private tell(line: string, stream: 'stdout' | 'stderr', listen: OutputOptions['onLine']): void {
    try {
      if (!this.failed) listen?.(line, stream);
    } catch (error) {
      // Thrown out of a stream it would end the worker, and with it every other tool.
      this.giveUp(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private giveUp(error: Error): void {
    this.failed = true;
    this.fail(error);
  }
}

/** Without the line that was cut: of a name in quotes it may have the end alone, and its quote would be taken for the first of another. */
function wholeLines(text: string): string {
  const rest = text.slice(text.indexOf('\n') + 1);
  return rest === '' ? text : rest;
}

const tooMuch = (file: string, bytes: number): HoldfastError =>
  new HoldfastError('HF_INTERNAL', `${file} printed more than ${bytes} bytes`);

/** Lines of any length: restic's JSON lines can be megabytes. */
function readLines(
  stream: Readable,
  onLine: (line: string) => void,
  onChunk: (chunk: string) => void,
  { after, encoding }: { after?: string | undefined; encoding: BufferEncoding },
): void {
  let parts: string[] = [];
  let before = after === undefined ? undefined : '';
  stream.setEncoding(encoding);
  stream.on('data', (read: string) => {
    let chunk = read;
    if (before !== undefined && after !== undefined) {
      before += read;
      const at = before.indexOf(after);
      if (at === -1) return;
      chunk = before.slice(at + after.length);
      before = undefined;
    }
    onChunk(chunk);
    const pieces = chunk.split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      onLine(parts.join('') + piece);
      parts = [];
    }
    if (last) parts.push(last);
  });
  stream.on('close', () => {
    if (parts.length > 0) onLine(parts.join(''));
  });
  stream.on('error', () => undefined);
}
