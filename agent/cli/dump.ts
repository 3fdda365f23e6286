import type {AddCommand, JsonOption} from './context.ts';
import {downloadTo} from './download.ts';
import {type PointOptions, pointOptions} from './point-options.ts';

export const addDump: AddCommand = (program, context) => {
	const command = program
		.command('dump')
		.description('write one file of a restore point as it is, a folder as a tar, a database as its dump')
		.argument('<target>', 'as `holdfast targets` names it')
		.argument('<path>', 'in the container, or a source; as `holdfast ls` shows it')
		.option(
			'-o, --output <file>',
			'a file, or `-` for the standard output; default: the standard output, or on a terminal a file named for the path',
		);
	pointOptions(command)
		.addHelpText(
			'after',
			'\nExamples:\n  $ docker compose exec -T holdfast holdfast dump shop/app /data/orders.csv >orders.csv\n  $ docker compose exec -T holdfast holdfast dump shop/app /data/uploads --point 20261121t030000-3f9a2c1 | tar -t\n  $ holdfast dump shop/db postgres:app -o /backup/app.dump',
		)
		.action(async (target: string, path: string, {output, json, ...point}: PointOptions & JsonOption & {output?: string}) => {
			const ask = async () => (await context.connect()).dump({target, path, ...point}, context.interrupted);
			context.end(await downloadTo(context, {target, what: 'dump', output, json, mayBeText: true, ask}));
		});
};
