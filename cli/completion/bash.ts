import type { CompletedOption, Completions } from './model.js';
import { quoted } from './model.js';

/** A case of the script: what is printed for which words. */
const branch = (pattern: string, words: readonly string[]): string =>
  `    ${pattern}) printf '%s\\n' ${words.map(quoted).join(' ')} ;;`;

const valueBranches = (command: string, options: readonly CompletedOption[]): string[] =>
  options
    .filter(({ takesValue }) => takesValue)
    .map(({ names, value }) =>
      branch(
        names
          .map((name) => (command === '*' ? `*${quoted(` ${name}`)}` : quoted(`${command} ${name}`)))
          .join('|'),
        [value ?? 'nothing'],
      ),
    );

/** The three questions that the script asks the table: which value, which options, which argument. */
function tables({ commands, options, words }: Completions): string[] {
  const common = options.flatMap(({ names }) => names);
  return [
    '_holdfast_value() {',
    '  case "$1 $2" in',
    ...commands.flatMap(({ name, options: own }) => valueBranches(name, own)),
    ...valueBranches('*', options),
    '  esac',
    '}',
    '_holdfast_options() {',
    '  case "$1" in',
    ...commands.map(({ name, options: own }) =>
      branch(quoted(name), [...own.flatMap(({ names }) => names), ...common]),
    ),
    `    *) printf '%s\\n' ${[...common, '--version'].map(quoted).join(' ')} ;;`,
    '  esac',
    '}',
    '_holdfast_argument() {',
    '  case "$1 $2" in',
    ...commands.flatMap(({ name, arguments: places }) =>
      places.flatMap((kind, at) => (kind ? [branch(quoted(`${name} ${at}`), [kind])] : [])),
    ),
    '  esac',
    '}',
    '_holdfast_words() {',
    '  case "$1" in',
    ...Object.entries(words).map(([kind, list]) => branch(kind, list)),
    branch('every-command', [...words.commands, 'help']),
    '    *) return 1 ;;',
    '  esac',
    '}',
  ];
}

/** Candidates are compared as text and never given to compgen -W, which would expand them. */
const engine = `
# Reads candidates, one a line, and keeps those that go on as the word began.
_holdfast_offer() {
  local line
  while IFS= read -r line; do
    [[ $line == "$cur"* ]] && COMPREPLY+=("$line")
  done
}

_holdfast_complete() {
  case "$1" in
    files | folders)
      local how=-f
      [[ $1 == folders ]] && how=-d
      mapfile -t COMPREPLY < <(compgen "$how" -- "$cur")
      compopt -o filenames 2>/dev/null
      ;;
    nothing | '') ;;
    *)
      _holdfast_offer < <(_holdfast_words "$1" ||
        command holdfast complete "$1" --config-word "$config" 2>/dev/null </dev/null)
      [[ $1 == host-folders ]] && compopt -o nospace 2>/dev/null
      ;;
  esac
  return 0
}

_holdfast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} word name='' config='' value='' flag='' position=0 literal='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == : ]]; then
      # bash takes "nas:/tmp" for three words.
      ((i++))
      ((i == COMP_CWORD)) && return 0
    elif [[ $word == '=' && -n $value ]]; then
      :
    elif [[ -n $value ]]; then
      [[ $flag == --config ]] && config=$word
      value=''
    elif [[ $word == -- ]]; then
      literal=yes
    elif [[ $word == -* && -z $literal ]]; then
      flag=$word
      value=$(_holdfast_value "$name" "$word")
    elif [[ -z $name ]]; then
      name=$word
    else
      ((position++))
    fi
  done
  [[ $cur == : ]] && return 0
  [[ $cur == '=' ]] && cur=''
  if [[ -n $value ]]; then
    _holdfast_complete "$value"
  elif [[ $cur == -* && -z $literal ]]; then
    _holdfast_offer < <(_holdfast_options "$name")
  elif [[ -z $name ]]; then
    _holdfast_complete every-command
  else
    _holdfast_complete "$(_holdfast_argument "$name" "$position")"
  fi
}
complete -F _holdfast holdfast
`;

/** For `source <(holdfast completion bash)`, or a file in /etc/bash_completion.d. */
export const bashScript = (completions: Completions): string =>
  `# Completion of holdfast for bash, made by "holdfast completion bash".\n${tables(completions).join('\n')}\n${engine}`;
