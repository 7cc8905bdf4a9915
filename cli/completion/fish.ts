import type { CompletedOption, Completions, Kind, WordKind } from './model.js';

/** In single quotes only the quote and the backslash mean anything to fish. */
const quotedForFish = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** How fish gets the words of a kind; it forbids files unless they are asked for. */
function source(kind: Kind | undefined, words: Completions['words']): string {
  if (kind === undefined) return '';
  if (kind === 'files') return ' -F';
  if (kind === 'folders') return " -a '(__fish_complete_directories)'";
  if (kind in words) return ` -a ${quotedForFish(words[kind as WordKind].join(' '))}`;
  return ` -a '(__holdfast_names ${kind})'`;
}

function optionLine(condition: string, option: CompletedOption, words: Completions['words']): string {
  const flags = option.names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const demand = option.value === 'files' ? '-r' : '-x';
  const value = option.takesValue ? ` ${demand}${source(option.value, words)}` : '';
  return `complete -c holdfast -n ${quotedForFish(condition)} ${flags.join(' ')}${value} -d ${quotedForFish(option.summary)}`;
}

const pairs = ({ commands, options }: Completions): string[] =>
  ['', ...commands.map(({ name }) => name)].flatMap((name) => {
    const own = commands.find((command) => command.name === name)?.options ?? [];
    return [...own, ...options]
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ names }) => names.map((flag) => quotedForFish(`${name} ${flag}`)));
  });

/** Prints the command, how many words it has already, and the configuration that was named. */
const walk = (valued: readonly string[]): string => `function __holdfast_state
    set -l words (commandline -opc)
    set -l valued ${valued.join(' ')}
    set -l name ''
    set -l config ''
    set -l position 0
    set -l flag ''
    for word in $words[2..-1]
        if test -n "$flag"
            test "$flag" = --config; and set config $word
            set flag ''
        else if string match -q -- '--config=*' $word
            set config (string replace -- '--config=' '' $word)
        else if string match -q -- '-*' $word
            contains -- "$name $word" $valued; and set flag $word
        else if test -z "$name"
            set name $word
        else
            set position (math $position + 1)
        end
    end
    printf '%s\\n' "$name" $position "$config"
end
function __holdfast_command
    test (__holdfast_state)[1] = "$argv[1]"
end
function __holdfast_place
    set -l state (__holdfast_state)
    test "$state[1]" = "$argv[1]" -a "$state[2]" = "$argv[2]"
end
function __holdfast_names
    set -l config (__holdfast_state)[3]
    if test -n "$config"
        command holdfast complete $argv[1] --config $config 2>/dev/null </dev/null
    else
        command holdfast complete $argv[1] 2>/dev/null </dev/null
    end
end
complete -c holdfast -f`;

/** For \`holdfast completion fish | source\`, or a file in ~/.config/fish/completions. */
export function fishScript(completions: Completions): string {
  const { commands, options, words } = completions;
  return [
    '# Completion of holdfast for fish, made by "holdfast completion fish".',
    walk(pairs(completions)),
    ...options.map((option) => optionLine('true', option, words)),
    ...commands.map(
      ({ name, summary }) =>
        `complete -c holdfast -n '__holdfast_command ""' -a ${name} -d ${quotedForFish(summary)}`,
    ),
    ...commands.flatMap(({ name, options: own, arguments: places }) => [
      ...own.map((option) => optionLine(`__holdfast_command ${name}`, option, words)),
      ...places.flatMap((kind, at) =>
        kind ? [`complete -c holdfast -n '__holdfast_place ${name} ${at}'${source(kind, words)}`] : [],
      ),
    ]),
    '',
  ].join('\n');
}
