import type { Notice } from '../../contracts/notify.js';
import type { Host } from '../../system/host.js';
import { sha256 } from '../../system/sha256.js';

/** A message on its way out. Each way hands it over or throws; that it was taken is all that can be known. */
export interface Outgoing {
  host: Host;
  /** Of the channel, for words. */
  channel: string;
  /** The same in every attempt: who gets a message twice can tell. */
  id: string;
  notice: Notice;
  signal: AbortSignal;
}

/** For one attempt, or each part of it. Milliseconds. */
export const withinMs = 30_000;

/** Names of messages are long, and headers and files want short ones of plain letters. */
export const shortId = (id: string): string => sha256(id).slice(0, 32);

/** Our own files of messages on the host. */
export const folderOf = ({ stateFolder }: Pick<Host, 'stateFolder'>): string =>
  `${stateFolder}/notifications`;
