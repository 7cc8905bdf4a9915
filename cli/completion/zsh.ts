import type { CompletedOption, Completions } from './model.js';
import { quoted } from './model.js';

/** _describe takes "word:what it is"; a colon in the word itself needs a backslash. */
const described = (word: string, summary: string): string =>
  quoted(`${word.replaceAll(':', '\\:')}:${summary}`);

const optionWords = (options: readonly CompletedOption[]): string[] =>
  options.flatMap(({ names, summary }) => names.map((name) => described(name, summary)));

/** What is known of the command line, as associative arrays: no text is ever evaluated. */
function tables({ commands, options, words }: Completions): string[] {
  const values = (name: string, own: readonly CompletedOption[]) =>
    own
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ names, value }) =>
        names.map((flag) => `    ${quoted(`${name} ${flag}`)} ${value ?? 'nothing'}`),
      );
  return [
    '  local -A values places',
    '  values=(',
    ...[...commands, { name: '', options: [] as CompletedOption[] }].flatMap(({ name, options: own }) =>
      values(name, [...own, ...options]),
    ),
    '  )',
    '  places=(',
    ...commands.flatMap(({ name, arguments: kinds }) =>
      kinds.flatMap((kind, at) => (kind ? [`    ${quoted(`${name} ${at}`)} ${kind}`] : [])),
    ),
    '  )',
    '  local -a flags names',
    '  case $name in',
    ...commands.map(
      ({ name, options: own }) => `    ${name}) flags=(${optionWords([...own, ...options]).join(' ')}) ;;`,
    ),
    `    *) flags=(${optionWords(options).join(' ')} '--version:print the version') ;;`,
    '  esac',
    '  case $kind in',
    ...Object.entries(words).map(([kind, list]) => `    ${kind}) names=(${list.map(quoted).join(' ')}) ;;`),
    '  esac',
    `  local -a verbs=(${commands.map(({ name, summary }) => described(name, summary)).join(' ')})`,
  ];
}

const walk = `
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $value ]]; then
      [[ $flag == --config ]] && config=\${(Q)word}
      value=''
    elif [[ $word == -- ]]; then
      literal=yes
    elif [[ $word == --*=* && -z $literal ]]; then
      [[ $word == --config=* ]] && config=\${(Q)word#--config=}
    elif [[ $word == -* && -z $literal ]]; then
      flag=$word
      value=\${values[$name $word]-}
    elif [[ -z $name ]]; then
      name=$word
    else
      ((position++))
    fi
  done
`;
const finish = `
  if [[ -z $value && $PREFIX == --*=* && -z $literal ]]; then
    value=\${values[$name \${PREFIX%%=*}]-nothing}
    compset -P 1 '*='
  fi
  if [[ -n $value ]]; then
    kind=$value
  elif [[ $PREFIX == -* && -z $literal ]]; then
    kind=flags
  elif [[ -z $name ]]; then
    kind=verbs
  else
    kind=\${places[$name $position]-nothing}
  fi
`;
const offer = `
  case $kind in
    nothing) return 1 ;;
    flags) _describe -o option flags ;;
    verbs) _describe command verbs ;;
    files) _files ;;
    folders) _files -/ ;;
    keys | shells | commands) compadd -- "\${names[@]}" ;;
    *)
      names=("\${(@f)$(command holdfast complete $kind \${config:+--config} \${config:+"$config"} 2>/dev/null </dev/null)}")
      names=("\${(@)names:#}")
      ((\${#names})) || return 1
      if [[ $kind == host-folders ]]; then compadd -S '' -- "\${names[@]}"; else compadd -- "\${names[@]}"; fi
      ;;
  esac
}
# As a file "_holdfast" in a folder of $fpath, or by source <(holdfast completion zsh) after compinit.
if [[ \${funcstack[1]-} == _holdfast ]]; then
  _holdfast "$@"
elif ((\${+functions[compdef]})); then
  compdef _holdfast holdfast
fi
`;

/** The tables need the command's name for the options and the kind for the words, so they stand between the parts. */
export function zshScript(completions: Completions): string {
  const lines = tables(completions);
  const at = lines.indexOf('  local -a flags names');
  const late = lines.slice(at);
  return [
    '#compdef holdfast',
    '# Completion of holdfast for zsh, made by "holdfast completion zsh".',
    '_holdfast() {',
    "  local word name='' config='' value='' flag='' literal='' kind='' position=0",
    ...lines.slice(0, at),
    walk.trimEnd(),
    finish.trimEnd(),
    ...late,
    offer.trimStart(),
  ].join('\n');
}
