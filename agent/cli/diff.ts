import type {SourceDifference} from '../../base/shapes/browsing.ts';
import {size} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {limitOption} from './limit-option.ts';

interface Options extends JsonOption {
	from?: string;
	limit: number;
}

const signs = {added: '+', removed: '-', changed: 'M'} as const;

export const addDiff: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('diff')
		.description('show what differs between two restore points: files that were added, removed or changed')
		.argument('<old>', 'a point, as `holdfast points` names it')
		.argument('<new>', 'another')
		.option('--from <copy>', 'points of a copy, instead of the primary repository')
		.addOption(limitOption({what: 'how many entries of each source are shown', usual: 10_000, most: 100_000}))
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast diff 20261120t030000-9c41f07 20261121t030000-3f9a2c1\n  $ holdfast diff 20261120t030000-9c41f07 20261121t030000-3f9a2c1 --json',
		)
		.action(async (old: string, recent: string, {json, ...options}: Options) => {
			const difference = await (await connect()).diff({points: [old, recent], ...options});
			if (json) {
				out.json(difference);
			} else {
				for (const found of difference.sources) {
					out.line`${found.source}: ${summaryOf(found)}`;
					for (const {path, change} of found.entries) {
						out.line`  ${signs[change]} ${path}`;
					}

					const more = found.added + found.removed + found.changed - found.entries.length;
					if (more > 0) {
						err.line`  ${more} more are not shown: --limit ${options.limit + more}`;
					}
				}
			}

			end(exit.done);
		});
};

function summaryOf({bytes: {from, to}, added, removed, changed}: SourceDifference): string {
	if (from === null || to === null) {
		return from === null ? `only in the second, ${size(to ?? 0)}` : `only in the first, ${size(from)}`;
	}

	const counts = [`${added} added`, `${removed} removed`, `${changed} changed`].filter(text => !text.startsWith('0 '));
	return `${counts.join(', ') || 'the same'}; ${size(from)}${from === to ? '' : ` → ${size(to)}`}`;
}
