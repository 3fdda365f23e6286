import {open, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {RunError, UsageError} from '../../base/errors.ts';
import {size} from '../../base/units.ts';
import type {Download} from '../api/client.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit} from './exit.ts';
import {createProgress} from './progress.ts';

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

async function exportTo(context: Context, target: string, {point, only = [], output, json}: ExportOptions): Promise<ExitCode> {
	const toOutput = output === '-' || (output === undefined && !json && !context.out.isTTY);
	if (toOutput && (json || context.out.isTTY)) {
		throw new UsageError(json ? '`--json` needs the standard output, and so does `-o -`' : 'an archive is not written to a terminal', {
			hint: 'name a file with -o; or run `docker compose exec -T` so that there is no terminal, and redirect',
		});
	}

	const client = await context.connect();
	const download = await client.export({target, point, only}, context.interrupted);
	const file = toOutput ? undefined : resolve(output ?? download.name);
	const count = counting(context, target, download.name);
	try {
		await (file === undefined
			? pipeline(download.stream, count.through, context.out.stream, {end: false})
			: toFile(download, count.through, file));
	} catch (error) {
		if (context.interrupted.aborted) {
			return exit.interrupted;
		}

		throw new RunError(
			`the export of \`${target}\` broke off${file === undefined ? ': what was written is not whole' : ', and nothing is left of it'}`,
			{
				cause: error,
				hint: "the agent's log says why",
			},
		);
	} finally {
		count.end();
	}

	const result = {target, point: download.point, file: file ?? '-', bytes: count.bytes()};
	json
		? context.out.json(result)
		: context.err.line`${target}: point ${download.point} exported, ${size(result.bytes)}${file === undefined ? '' : ` in ${file}`}`;
	return exit.done;
}

/** Under another name until it is whole and on the disk. */
async function toFile({stream}: Download, through: Transform, file: string): Promise<void> {
	if (await stat(file).catch(() => undefined)) {
		stream.destroy();
		throw new UsageError(`\`${file}\` exists already`);
	}

	const partial = join(dirname(file), `.${basename(file)}.partial-${process.pid}`);
	const handle = await open(partial, 'wx', 0o600);
	try {
		await pipeline(stream, through, async (chunks: AsyncIterable<Buffer>) => {
			for await (const chunk of chunks) {
				await handle.write(chunk);
			}
		});
		await handle.sync();
		await handle.close();
		await rename(partial, file);
	} catch (error) {
		await handle.close().catch(() => {});
		await rm(partial, {force: true});
		throw error;
	}
}

function counting({err, now}: Context, target: string, name: string) {
	const progress = createProgress(err);
	let bytes = 0;
	const through = new Transform({
		transform(chunk: Buffer, _encoding, callback) {
			bytes += chunk.length;
			progress.add({type: 'progress', run: '', target, at: now(), source: name, bytes});
			callback(null, chunk);
		},
	});
	return {through, bytes: () => bytes, end: progress.end};
}
