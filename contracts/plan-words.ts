/** What a plan says beside its figures. */
export interface PlanWords {
  /** What will be done, a line each, where whole datasets are restored and no files. */
  steps?: string[];
  /** What of that which was asked for is not restored, and why. */
  notes?: string[];
}
