import {moment, size} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {limitOption} from './limit-option.ts';

interface Options extends JsonOption {
	target?: string;
	from?: string;
	ignoreCase?: true;
	limit: number;
}

export const addFind: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('find')
		.description('find files in all restore points, and which versions of them there are')
		.argument('<pattern>', 'a name, or a path in the container, with `*`, `?`, `[a-z]`, and `**` for any number of folders')
		.option('--target <target>', 'as `holdfast targets` names it; all of them without')
		.option('-i, --ignore-case', 'capital letters are as good as small ones')
		.option('--from <copy>', 'in the points of a copy, instead of the primary repository')
		.addOption(limitOption({what: 'how many versions are shown', usual: 10_000, most: 100_000}))
		.addHelpText(
			'after',
			"\nExamples:\n  $ holdfast find 'invoice-2026-*.pdf'\n  $ holdfast find '/data/uploads/**/*.png' --target shop/app\n  $ holdfast find orders.csv --json",
		)
		.action(async (pattern: string, {json, ignoreCase, ...options}: Options) => {
			const {found, isCut} = await (await connect()).find({pattern, ignoreCase: ignoreCase === true, ...options});
			if (json) {
				out.json({found, isCut});
			} else if (found.length === 0) {
				err.line`no restore point holds ${pattern}`;
			} else {
				out.table(
					[
						{title: 'TARGET', wrap: 12},
						{title: 'PATH', wrap: 16},
						{title: 'SIZE', align: 'right'},
						{title: 'CHANGED', wrap: 10},
						{title: 'IN POINTS', align: 'right'},
						{title: 'FIRST', wrap: 10},
						{title: 'LAST'},
					],
					found.map(({target, path, type, size: bytes, modified, points, oldest, newest}) => [
						target,
						type === 'dir' ? `${path}/` : path,
						type === 'dir' ? '' : size(bytes),
						modified === null ? '' : moment(modified),
						String(points),
						moment(oldest.time),
						newest.point,
					]),
				);
			}

			if (isCut && !json) {
				err.line`there are more than ${options.limit}: name a narrower pattern, a target, or a higher --limit`;
			}

			end(found.length === 0 ? exit.failed : exit.done);
		});
};
