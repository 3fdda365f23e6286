import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {type Readable, Transform} from 'node:stream';
import {explain, UsageError} from '../../base/errors.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit, exitOfOutcomes} from './exit.ts';
import {follow, tellGoesOn} from './follow.ts';
import {createProgress, type Progress} from './progress.ts';
import {printResult} from './results.ts';

interface ImportOptions extends JsonOption {
	only?: string[];
}

export const addImport: AddCommand = (program, context) => {
	program
		.command('import')
		.description('take a portable archive, or a dump in custom format, as a new restore point')
		.argument('<target>', 'as `holdfast targets` names it')
		.argument('<file>', '`-` for the standard input')
		.option('--only <source...>', 'where it belongs, when the target has several databases or volumes')
		.addHelpText(
			'after',
			'\nExamples:\n  $ docker compose exec -T holdfast holdfast import shop/app - <shop.tar.gz\n  $ holdfast import shop/app /backup/db.backup --json',
		)
		.action(async (target: string, file: string, options: ImportOptions) =>
			context.end(await importFrom(context, {target, file}, options)),
		);
};

async function importFrom(
	context: Context,
	{target, file}: {target: string; file: string},
	{only = [], json}: ImportOptions,
): Promise<ExitCode> {
	const {content, name, bytes} = file === '-' ? {content: context.stdin, name: 'standard input', bytes: undefined} : await opened(file);
	if (file === '-' && context.stdin.isTTY) {
		throw new UsageError('an archive is not read from a terminal', {
			hint: 'run `docker compose exec -T` so that there is no terminal, and redirect',
		});
	}

	const client = await context.connect();
	const progress = createProgress(context.err);
	let run: string | undefined;
	try {
		const body = content.pipe(counted(progress, {target, source: name, totalBytes: bytes, now: context.now}));
		content.once('error', error => body.destroy(error));
		run = await client.import({target, only, file: name, trigger: 'cli'}, body, context.interrupted);
		const finished = await follow(client, run, progress, context.interrupted);
		progress.end();
		json ? context.out.json(finished.result) : printResult(context.out, context.err, finished);
		return exitOfOutcomes([finished.result.outcome]);
	} catch (error) {
		progress.end();
		if (!context.interrupted.aborted) {
			throw error;
		}

		tellGoesOn(context, run === undefined ? [] : [{target, run}]);
		return exit.interrupted;
	}
}

async function opened(file: string): Promise<{content: Readable; name: string; bytes: number}> {
	try {
		const {size} = await stat(file);
		return {content: createReadStream(file, {highWaterMark: 262_144}), name: basename(file), bytes: size};
	} catch (error) {
		throw new UsageError(`\`${file}\` cannot be read: ${explain(error)}`, {
			hint: 'the path is one in this container; or use `-` and redirect',
		});
	}
}

interface Counted {
	target: string;
	source: string;
	totalBytes: number | undefined;
	now: () => number;
}

function counted(progress: Progress, {now, ...event}: Counted): Transform {
	let bytes = 0;
	return new Transform({
		transform(chunk: Buffer, _encoding, callback) {
			bytes += chunk.length;
			progress.add({type: 'progress', run: '', at: now(), ...event, bytes});
			callback(null, chunk);
		},
	});
}
