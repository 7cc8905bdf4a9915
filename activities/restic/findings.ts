import type { Node } from './listing.js';

/** What a comparison is made of: what lies on the disk, and what was found. */

export interface OnDisk {
  type: Node['type'];
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtimeNs: string;
  /** Device and inode. */
  inode: string;
  links: number;
  allocated: number;
  linkTarget: string;
}

/** What one comparison found. */
export interface Findings {
  verified: string[];
  notVerified: string[];
  differences: string[];
  /** What differs and can be lived with. */
  warnings?: string[];
}
