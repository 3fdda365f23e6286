/** What was ordered of the bench: read from its arguments, or refused with the rule. */
import {parseArgs} from 'node:util';
import {UsageError} from '../../base/errors.ts';
import type {Size} from './table.ts';

export interface Order extends Size {
	parts: readonly string[];
	isHelp: boolean;
}

/** @throws {UsageError} names the argument, the rule and what was got */
export function readOrder(argv: readonly string[], {known, byDefault}: {known: readonly string[]; byDefault: readonly string[]}): Order {
	const {values, positionals} = parsed(argv);
	const unknown = positionals.find(name => !known.includes(name));
	if (unknown !== undefined) {
		throw new UsageError(`a part must be one of ${known.join(', ')}, got \`${unknown}\``);
	}

	const rounds = Number(values.rounds);
	if (!Number.isInteger(rounds) || rounds < 1) {
		throw new UsageError(`\`--rounds\` must be a whole number from 1 on, got \`${values.rounds}\``);
	}

	const scale = Number(values.scale);
	if (!(scale > 0 && Number.isFinite(scale))) {
		throw new UsageError(`\`--scale\` must be a number greater than 0, got \`${values.scale}\``);
	}

	return {parts: positionals.length === 0 ? byDefault : positionals, rounds, scale, isHelp: values.help};
}

function parsed(argv: readonly string[]) {
	try {
		return parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				rounds: {type: 'string', default: '5'},
				scale: {type: 'string', default: '1'},
				help: {type: 'boolean', short: 'h', default: false},
			},
		});
	} catch (error) {
		throw new UsageError(`an option must be \`--rounds=N\`, \`--scale=N\` or \`--help\`: ${(error as Error).message.split('. ', 1)[0]}`, {
			cause: error,
		});
	}
}

export const usage = ({known, byDefault}: {known: readonly string[]; byDefault: readonly string[]}): string => `\
Usage: npm run bench -- [--rounds=N] [--scale=N] [PART…]

Measures Holdfast against the plain tools that it is made of, and prints ratios.

  --rounds=N   how often each thing is measured; the median counts (default: 5)
  --scale=N    of the data; 0.1 is a tenth (default: 1)
  PART         ${known.join(', ')}
               (default: ${byDefault.join(', ')})

Examples:
  $ npm run bench -- --rounds=3 whole
  $ npm run bench -- --scale=0.1 often
  $ npm run bench -- many`;
