import type {Command} from 'commander';
import {UsageError} from '../../base/errors.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

interface Word {
	name: string;
	description: string;
	/** Of the command: `--json`, `--point`. */
	options: readonly string[];
}

export const addCompletion: AddCommand = (program, {out, end}) => {
	program
		.command('completion')
		.description('print the completion of commands and options for a shell')
		.argument('<shell>', 'bash, zsh or fish')
		.addHelpText(
			'after',
			'\nExamples, on the host, where `holdfast` is an alias of `docker compose exec holdfast holdfast`:\n  $ source <(holdfast completion bash)\n  $ holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
		)
		.action((shell: string, {json}: JsonOption) => {
			const write = shells[shell];
			if (write === undefined) {
				throw new UsageError(`\`holdfast completion\` must name one of ${Object.keys(shells).join(', ')}, got \`${shell}\``);
			}

			const script = write(wordsOf(program));
			json ? out.json({shell, script}) : out.raw(script);
			end(exit.done);
		});
};

const wordsOf = (program: Command): Word[] =>
	program.commands.map(command => ({
		name: command.name(),
		description: command.description().split(/[;:]/)[0] ?? '',
		options: ['--help', ...command.options.flatMap(({long}) => long ?? [])],
	}));

const shells: Readonly<Record<string, (words: readonly Word[]) => string>> = {
	bash: words => `# Completion of holdfast for bash
_holdfast() {
	local word="\${COMP_WORDS[COMP_CWORD]}"
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W '${words.map(({name}) => name).join(' ')}' -- "$word"))
		return
	fi
	case "\${COMP_WORDS[1]}" in
${words.map(({name, options}) => `		${name}) COMPREPLY=($(compgen -W '${options.join(' ')}' -- "$word")) ;;`).join('\n')}
	esac
}
complete -F _holdfast holdfast
`,
	zsh: words => `#compdef holdfast
# Completion of holdfast for zsh
_holdfast() {
	if (( CURRENT == 2 )); then
		local -a commands=(
${words.map(({name, description}) => `			'${name}:${quoted(description)}'`).join('\n')}
		)
		_describe command commands
		return
	fi
	case "$words[2]" in
${words.map(({name, options}) => `		${name}) compadd -- ${options.join(' ')} ;;`).join('\n')}
	esac
}
compdef _holdfast holdfast
`,
	fish: words => `# Completion of holdfast for fish
complete -c holdfast -f
${words
	.flatMap(({name, description, options}) => [
		`complete -c holdfast -n __fish_use_subcommand -a ${name} -d '${quoted(description)}'`,
		...options.map(option => `complete -c holdfast -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
	])
	.join('\n')}
`,
};

const quoted = (text: string): string => text.replaceAll("'", '’');
