import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { HoldfastError } from '../contracts/errors.js';
import { connectSsh, unreachable } from './ssh-connect.js';
import type { SshTarget } from './ssh-target.js';

/**
 * The kept connections to one machine. Many commands share one; a server allows ten at a time on each (MaxSessions), and commands that take
 * hours or wait for a lock must not keep the short ones waiting: so there are a few, and a queue behind them.
 */

const sessionsEach = 8;
/** Kept free for stopping what runs: it must not queue behind it. */
const sessionsInReserve = 2;
const connectionsAtMost = 4;
const idleMs = 60_000;

interface Link {
  client: Promise<Client>;
  /** Which settings it was made with. */
  stamp: string;
  used: number;
  limit: number;
  reserve: number;
  idle?: NodeJS.Timeout | undefined;
}

/** A channel on which the command runs; to be given back when it has ended. */
export interface Lease {
  channel: ClientChannel;
  release(): void;
}

export interface OpenOptions {
  urgent?: boolean;
  signal?: AbortSignal | undefined;
}

export class SshPool {
  private readonly links = new Set<Link>();
  private readonly waiting: (() => void)[] = [];

  /** `roadTo` opens a way through the machine that leads to this one. */
  constructor(
    readonly target: () => SshTarget,
    private readonly roadTo?: (target: SshTarget) => Promise<Duplex>,
  ) {}

  /** A channel with the command. `urgent` is for stopping what runs. Nothing was started when it rejects. */
  async open(command: string, { urgent = false, signal }: OpenOptions = {}): Promise<Lease> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const link = await this.take(urgent, signal);
      try {
        const channel = await openChannel(await link.client, command);
        return { channel, release: () => this.release(link) };
      } catch (error) {
        this.learn(link, error);
        this.release(link);
        if (error instanceof HoldfastError) throw error;
        // No more places, or a connection that died while nobody looked: the command was never begun, so it is tried again.
        if (attempt === 5) throw unreachable(this.target().name, String(error), error);
      }
    }
  }

  /** A server that gives fewer places than we thought says so; any other word is that of a connection that is dead. */
  private learn(link: Link, error: unknown): void {
    const isRefused = error instanceof Error && 'reason' in error;
    if (!isRefused) this.drop(link);
    if (!isRefused || link.used < 2) return;
    link.limit = Math.min(link.limit, link.used - 1);
    link.reserve = 0;
  }

  /** Connected and logged in, or why not. */
  async ready(): Promise<void> {
    const link = await this.take(true, undefined);
    await link.client.finally(() => this.release(link));
  }

  /** A way through this machine to another one. */
  async forward({ address, port }: SshTarget): Promise<Duplex> {
    const link = await this.take(true, undefined);
    const client = await link.client.catch((error) => {
      this.release(link);
      throw error;
    });
    return new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
        if (error) {
          this.release(link);
          return reject(
            unreachable(this.target().name, `it cannot reach ${address}:${port}: ${error.message}`, error),
          );
        }
        stream.once('close', () => this.release(link));
        resolve(stream);
      });
    });
  }

  close(): void {
    for (const link of this.links) this.drop(link);
  }

  /** A place on a connection: a free one, a new one, or the next that becomes free. */
  private async take(urgent: boolean, signal: AbortSignal | undefined): Promise<Link> {
    for (;;) {
      const target = this.target();
      const stamp = JSON.stringify(target);
      const usable = [...this.links].filter((link) => link.stamp === stamp);
      const free = usable.find(({ used, limit, reserve }) => used < limit + (urgent ? reserve : 0));
      if (free) return this.use(free);
      if (usable.length < connectionsAtMost) return this.use(this.connect(target, stamp));
      await this.turn(signal);
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.waiting.push(go);
    });
  }

  private use(link: Link): Link {
    clearTimeout(link.idle);
    link.used += 1;
    return link;
  }

  private release(link: Link): void {
    link.used -= 1;
    this.waiting.shift()?.();
    if (link.used > 0 || !this.links.has(link)) return;
    link.idle = setTimeout(() => {
      const isOnly = this.links.size === 1;
      if (!isOnly || link.stamp !== JSON.stringify(this.target())) this.drop(link);
    }, idleMs);
    link.idle.unref();
  }

  private connect(target: SshTarget, stamp: string): Link {
    const { jump } = target;
    const road = jump ? this.roadTo?.(target) : undefined;
    const client = Promise.resolve(road).then((stream) => connectSsh(target, stream));
    const link: Link = { client, stamp, used: 0, limit: sessionsEach, reserve: sessionsInReserve };
    this.links.add(link);
    client.then(
      (connected) => connected.once('close', () => this.forget(link)),
      () => this.forget(link),
    );
    return link;
  }

  private forget(link: Link): void {
    clearTimeout(link.idle);
    this.links.delete(link);
    this.waiting.shift()?.();
  }

  private drop(link: Link): void {
    this.forget(link);
    link.client.then(
      (client) => client.end(),
      () => undefined,
    );
  }
}

function openChannel(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const lost = (): void => reject(new Error('the connection was lost'));
    client.once('close', lost);
    client.exec(command, (error, channel) => {
      client.off('close', lost);
      if (error) reject(error);
      else resolve(channel);
    });
  });
}
