/** Which files of a source were sparse when it was backed up: restic does not keep where holes were. Only add optional fields. */

/** Path relative to the resource; size and time say whether a copy holds this very state of the file. */
export interface SparseFile {
  path: string;
  size: number;
  mtimeNs: string;
  /** Bytes that it took on the disk. */
  allocated: number;
}

export interface SparseNote {
  /** The run whose backup it was made beside. */
  run: string;
  /** The largest holes first. */
  files: SparseFile[];
  /** Why a file that is not named may have been sparse all the same; absent when none was. */
  gap?: string;
}

/** What a restore elsewhere was told by the host of the source, or a rescue by the store. */
export interface HandedSparseNote {
  host: string;
  /** Absent when the host has none. */
  note?: SparseNote;
  /** False when it gave no answer. */
  answered: boolean;
  /** It was read from beside the copies, where the host stored it. */
  isBeside?: true;
}
