import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import {
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Outcome, RestorePlan, RunReport, StepLine } from '../../contracts/jobs.js';
import { noteMemo, queryNames, type SearchAttributeName, searchAttributes } from '../../contracts/names.js';
import type { Notifying } from '../../contracts/notify.js';
import type { SeedReport } from '../../contracts/seeding.js';
import { diagnose } from './failure.js';
import { planLines } from './plan-lines.js';
import { type Told, tellPeople } from './tell.js';

/** What the Web UI, `show` and `status` say of a run while it goes on. */
export interface Report {
  /** Adds a line to the table of steps, or changes it. */
  step(name: string, state: StepLine['state'], note?: string): void;
  /** Does one step and keeps its line true: a failure is marked, and its words shown. */
  watch<R>(name: string, body: () => Promise<R>): Promise<R>;
  /** Why nothing moves, in words; undefined when it moves again. Branches that go on side by side say it each for itself. */
  waitFor(reason: string | undefined, branch?: string): void;
  /** A question with this digest is open; undefined when it is answered. */
  ask(digest: string | undefined, question?: string, details?: string[]): void;
  /** What is known of the thing beyond this run, in a sentence for `status`. */
  note(text: string): void;
  /** What a human is asked to approve. */
  show(plan: RestorePlan): void;
  /** A portion of the first upload is done, or there was none to do. */
  seeded(name: string, seeding: SeedReport): void;
  /** What the run really covers, when it is less than was asked of it. */
  covers(covers: string | undefined): void;
  /** Tells those who want to know, in messages that go their own way: it waits only until they are on it. */
  tell(told: Told): Promise<void>;
  /** Known at the end; `restorePoint` only when every copy of the run is proved. */
  end(outcome: Outcome, facts?: { bytes?: number; restorePoint?: string }): void;
}

export const reportQuery = defineQuery<RunReport>(queryNames.report);

type AttributeValue = string | number | Date | null;

/** A search attribute of ours as the SDK takes it. */
export const attribute = (name: SearchAttributeName, value: AttributeValue): SearchAttributePair =>
  ({ key: defineSearchAttributeKey(name, searchAttributes[name]), value }) as SearchAttributePair;

const marks: Record<StepLine['state'], string> = {
  waiting: '·',
  running: '▶',
  done: '✔',
  warned: '⚠',
  failed: '✘',
  skipped: '–',
};

/** The table as Markdown: names and notes may hold characters that would break it. */
export function renderReport({ steps, waitingFor, questionDetails = [] }: RunReport): string {
  const clean = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rows = steps.map(({ name, state, note }) => `| ${marks[state]} | ${clean(name)} | ${clean(note)} |`);
  const wait = waitingFor ? [`**Waiting:** ${waitingFor}`, ''] : [];
  const details = questionDetails.map((line) => `    ${line.replaceAll('\n', ' ')}`);
  const asked = details.length > 0 ? ['', ...details] : [];
  return [...wait, '| | step | |', '|---|---|---|', ...rows, ...asked].join('\n');
}

/** `notify` of a run's input says whom it tells. */
export function openReport({ notify = [] }: Notifying): Report {
  const state: RunReport = { steps: [] };
  const waits = new Map<string, string>();
  const render = (): void => setCurrentDetails(renderReport(state));
  setHandler(reportQuery, () => state, { description: 'The steps of this run and what it waits for' });
  const report: Report = {
    step(name, lineState, note = '') {
      const line = state.steps.find((known) => known.name === name);
      if (line) Object.assign(line, { state: lineState, note });
      else state.steps.push({ name, state: lineState, note });
      render();
    },
    async watch(name, body) {
      report.step(name, 'running');
      try {
        return await body();
      } catch (error) {
        report.step(
          name,
          isCancellation(error) ? 'skipped' : 'failed',
          isCancellation(error) ? 'cancelled' : diagnose(error).message,
        );
        throw error;
      }
    },
    waitFor(reason, branch = '') {
      if (reason === undefined) waits.delete(branch);
      else waits.set(branch, reason);
      const all = waits.size > 0 ? [...waits.values()].join('; ') : undefined;
      if (all === state.waitingFor) return;
      state.waitingFor = all;
      upsertSearchAttributes([attribute('HfWaiting', all?.slice(0, 200) ?? null)]);
      render();
    },
    ask(digest, question, details) {
      state.asks = digest;
      state.question = question;
      state.questionDetails = details;
    },
    note: (text) => upsertMemo({ [noteMemo]: text.slice(0, 400) }),
    show(plan) {
      state.plan = plan;
      render();
    },
    seeded(name, seeding) {
      const { done, hasCopy, idle, portionsDone, portions } = seeding;
      const note = hasCopy ? 'a copy is there' : `portion ${portionsDone} of ${portions} done`;
      if (!hasCopy) state.seeding = { ...seeding, ...(!idle && { at: new Date().toISOString() }) };
      report.step(name, done ? 'done' : 'running', note);
    },
    covers(covers) {
      upsertSearchAttributes([attribute('HfCovers', covers ?? null)]);
    },
    tell(told) {
      const plan = told.event === 'question' && state.plan?.digest === told.digest ? state.plan : undefined;
      return tellPeople(notify, plan ? { ...told, lines: [...planLines(plan), ...told.lines] } : told);
    },
    end(outcome, { bytes, restorePoint } = {}) {
      upsertSearchAttributes([
        attribute('HfOutcome', outcome),
        ...(bytes === undefined ? [] : [attribute('HfBytes', bytes)]),
        ...(restorePoint === undefined ? [] : [attribute('HfRestorePoint', new Date(restorePoint))]),
      ]);
      render();
    },
  };
  return report;
}
