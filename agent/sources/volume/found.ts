/** What a `find` in a worker prints, each entry ended by a NUL: names may have any other character. */
import {lastLines, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';

/** As many as come at once. */
export async function* foundBy({stdout}: Pick<Running, 'stdout'>): AsyncGenerator<string[]> {
	let rest = '';
	const decoder = new TextDecoder();
	for await (const chunk of stdout as AsyncIterable<Buffer>) {
		const entries = (rest + decoder.decode(chunk, {stream: true})).split('\0');
		rest = entries.pop() ?? '';
		yield entries;
	}
}

/** A file may vanish while the application runs. @throws {RunError} when a folder cannot be read */
export async function assertSearched({done}: Pick<Running, 'done'>, path: string): Promise<void> {
	const {exitCode, stderr} = await done;
	if (exitCode !== 0 && !/No such file/.test(stderr)) {
		throw new RunError(`\`${path}\` cannot be searched: ${lastLines(stderr)}`);
	}
}
