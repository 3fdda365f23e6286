import type {AddCommand, Context, JsonOption} from './context.ts';
import {downloadTo} from './download.ts';
import type {ExitCode} from './exit.ts';

interface ExportOptions extends JsonOption {
	point: string;
	only?: string[];
	output?: string;
}

export const addExport: AddCommand = (program, context) => {
	program
		.command('export')
		.description('write a restore point as a portable archive: its database and its files, without Holdfast')
		.argument('<target>', 'as `holdfast targets` names it')
		.option('--point <id>', 'as `holdfast points` names it', 'latest')
		.option('--only <source...>', 'one database, and one volume or none, where the point has more')
		.option(
			'-o, --output <file>',
			'a file, or `-` for the standard output; default: the standard output, or on a terminal a file named for the point',
		)
		.addHelpText(
			'after',
			'\nExamples:\n  $ docker compose exec -T holdfast holdfast export shop/app >shop.tar.gz\n  $ holdfast export shop/app --point 20261121t030000-3f9a2c1 -o /backup/shop.tar.gz\n  $ holdfast export shop/app --only db/postgres:app -o -',
		)
		.action(async (target: string, options: ExportOptions) => context.end(await exportTo(context, target, options)));
};

const exportTo = async (context: Context, target: string, {point, only = [], output, json}: ExportOptions): Promise<ExitCode> =>
	downloadTo(context, {
		target,
		what: 'export',
		output,
		json,
		ask: async () => (await context.connect()).export({target, point, only}, context.interrupted),
	});
