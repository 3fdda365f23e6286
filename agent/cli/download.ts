/** A file of any size from the agent, to the standard output or to a file that is whole or not there. */
import {open, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {RunError, UsageError} from '../../base/errors.ts';
import {size} from '../../base/units.ts';
import type {Download} from '../api/client.ts';
import type {Context} from './context.ts';
import {type ExitCode, exit} from './exit.ts';
import {createProgress} from './progress.ts';

interface Wanted {
	target: string;
	/** For people: `export`. */
	what: string;
	/** A file, or `-`. */
	output: string | undefined;
	json: true | undefined;
	/** It may be text: then a person may have it on the terminal, where `-` asks for it. */
	mayBeText?: boolean;
	ask: () => Promise<Download>;
}

export async function downloadTo(context: Context, {target, what, output, json, mayBeText = false, ask}: Wanted): Promise<ExitCode> {
	const toOutput = output === '-' || (output === undefined && !json && !context.out.isTTY);
	if (toOutput && (json || (context.out.isTTY && !mayBeText))) {
		throw new UsageError(json ? '`--json` needs the standard output, and so does `-o -`' : 'an archive is not written to a terminal', {
			hint: 'name a file with -o; or run `docker compose exec -T` so that there is no terminal, and redirect',
		});
	}

	const download = await ask();
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
			`the ${what} of \`${target}\` broke off${file === undefined ? ': what was written is not whole' : ', and nothing is left of it'}`,
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
		: context.err.line`${target}: ${what} of point ${download.point}, ${size(result.bytes)}${file === undefined ? '' : ` in ${file}`}`;
	return exit.done;
}

/** Under another name until it is whole and on the disk. */
async function toFile({stream}: Download, through: Transform, file: string): Promise<void> {
	if (await stat(file).catch(() => undefined)) {
		stream.destroy();
		throw new UsageError(`\`${file}\` exists already`, {hint: 'give `-o` another name, or remove that file'});
	}

	const partial = join(dirname(file), `.${basename(file)}.partial-${process.pid}`);
	const handle = await open(partial, 'wx', 0o600);
	try {
		await pipeline(stream, through, async (chunks: AsyncIterable<Buffer>) => {
			for await (const chunk of chunks) {
				// All of it: a disk that is nearly full takes a part, and says no more than that.
				await handle.writeFile(chunk);
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
