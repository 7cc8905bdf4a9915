/** How access lists and extended attributes of a restore are compared with those of the copy. */

/**
 * `mount`: through a mount of the copy, which reads no contents. `second read`: all the data once more, because of `why`. `none`: not at
 * all, because of `why`; `bytesIfAsked` is what a second read would take.
 */
export interface AttributePlan {
  way: 'mount' | 'second read' | 'none';
  bytesReadAgain: number;
  why?: string;
  bytesIfAsked?: number;
}
