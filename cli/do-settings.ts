import type { Action } from '../config/actions.js';
import { suggestion } from '../config/mistakes.js';
import { HoldfastError } from '../contracts/errors.js';
import { shown } from './jobs.js';

/** Histories keep what is set: a setting is a name or a short path, never a text. */
const longestValue = 1000;

/** What was given with --set, checked against what the action knows. Pure. */
export function settingsOf(action: Action, given: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf('=');
    const name = text.slice(0, at);
    if (at < 1) throw usage(`--set takes NAME=VALUE, not "${shown(text)}"`, action);
    if (!action.settings.some((setting) => setting.name === name))
      throw usage(`"${action.name}" has no setting "${shown(name)}"${near(action, name)}`, action);
    if (Object.hasOwn(settings, name)) throw usage(`--set ${name} was given twice`, action);
    const value = text.slice(at + 1);
    if (value === '' || value.length > longestValue)
      throw usage(`--set ${name} takes 1 to ${longestValue} characters`, action);
    settings[name] = value;
  }
  const missing = action.settings.find(({ name, required }) => required && !Object.hasOwn(settings, name));
  if (missing) throw usage(`"${action.name}" needs --set ${missing.name}=…: ${missing.summary}`, action);
  return settings;
}

const near = ({ settings }: Action, name: string): string =>
  settings.length === 0
    ? '; it has none'
    : suggestion(
        name,
        settings.map((setting) => setting.name),
      );

const usage = (message: string, { settings }: Action): HoldfastError =>
  new HoldfastError('HF_USAGE', message, {
    next:
      settings.length === 0
        ? 'Leave --set out'
        : `For example ${settings.map(({ name, example }) => `--set ${name}=${example}`).join(' ')}`,
  });

/** An action by its name; the nearest one is named when there is none. */
export function findAction(job: string, actions: readonly Action[], name: string): Action {
  const found = actions.find((action) => action.name === name);
  if (found) return found;
  const names = actions.map((action) => action.name);
  const has = names.length > 0 ? `; it has: ${names.join(', ')}` : '';
  throw new HoldfastError(
    'HF_USAGE',
    `The job "${job}" has no action "${shown(name)}"${suggestion(name, names)}${has}`,
    { next: `"holdfast do ${job}" lists what there is` },
  );
}

/** One line for each action, and one for each of its settings. */
export function actionLines(job: string, actions: readonly Action[]): string[] {
  if (actions.length === 0) return [`${job}: there is nothing to do by hand`];
  return actions.flatMap(({ name, summary, settings }) => [
    `${name.padEnd(16)} ${summary}`,
    ...settings.map(
      (setting) =>
        `  --set ${setting.name}=${setting.example}   ${setting.summary}${setting.required ? ' (needed)' : ''}`,
    ),
  ]);
}
