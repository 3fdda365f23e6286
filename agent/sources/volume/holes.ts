import {lastLines} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import type {SourceContext} from '../source.ts';

/** Smaller files do not matter for the question whether there is room. */
const smallest = '+8191k';

/** Of the sparse files of one volume: that many are looked at, and each of them is half a hole at least. */
const mostFiles = 10_000;

/** @param snapshot of that folder: a file that it left out has no holes in it @returns bytes */
export async function holesIn(
	{restic, worker, signal}: Pick<SourceContext, 'restic' | 'worker' | 'signal'>,
	path: string,
	snapshot: string,
): Promise<number> {
	const find = await worker({argv: ['find', path, '-type', 'f', '-size', smallest, '-printf', '%s %b %P\\0'], signal});
	const held = new Map<string, number>();
	for await (const entry of entries(find.stdout)) {
		const [, size, blocks, file] = /^(\d+) (\d+) (.*)$/s.exec(entry) ?? [];
		const bytes = Number(blocks) * 512;
		if (file !== undefined && file !== '' && bytes < Number(size) / 2 && held.size < mostFiles) {
			held.set(file, bytes);
		}
	}

	const {exitCode, stderr} = await find.done;
	// A file may vanish while the app runs.
	if (exitCode !== 0 && !/No such file/.test(stderr)) {
		throw new RunError(`\`${path}\` cannot be searched for sparse files: ${lastLines(stderr)}`);
	}

	let holes = 0;
	if (held.size > 0) {
		const onEntry = (entry: {path: string; size: number}) => {
			holes += Math.max(0, entry.size - (held.get(entry.path) ?? entry.size));
		};
		await restic.list({snapshot, folder: path, onEntry, signal});
	}

	return holes;
}

async function* entries(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
	let rest = '';
	const decoder = new TextDecoder();
	for await (const chunk of stream) {
		const parts = (rest + decoder.decode(chunk, {stream: true})).split('\0');
		rest = parts.pop() ?? '';
		yield* parts;
	}
}
