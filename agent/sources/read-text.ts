/** Small files of a container: for one that has no programs which could read them, or lets none, through the engine. */
import {lastLines, output, type Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import type {Engine} from '../../docker/engine.ts';

const blockBytes = 512;
/** More than any password or lock file has. */
const mostBytes = 65_536;

/** @throws where it is no plain, small file */
export async function readText(engine: Engine, container: string, path: string): Promise<string> {
	const archive = await engine.archive(container, path);
	const content = await beginningOf(archive);
	const size = Number.parseInt(content.subarray(124, 136).toString('latin1').replaceAll('\0', ' ').trim(), 8);
	const kind = content.subarray(156, 157).toString('latin1');
	if (!(['0', '\0'].includes(kind) && size <= mostBytes)) {
		throw new RunError(`\`${path}\` is no small file`);
	}

	return content.subarray(blockBytes, blockBytes + size).toString();
}

/** Of a large file no more is read: it may be any. */
async function beginningOf(archive: AsyncIterable<Buffer>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of archive) {
		chunks.push(chunk);
		bytes += chunk.length;
		if (bytes >= blockBytes + mostBytes) {
			break;
		}
	}

	return Buffer.concat(chunks);
}

/** The same as the container's root, or else through the engine. */
export async function readFileIn(engine: Engine, container: string, place: Place, path: string): Promise<string> {
	const {exitCode, stdout, stderr} = await output(place, {argv: ['cat', '--', path], user: '0'});
	return exitCode === 0
		? stdout
		: readText(engine, container, path).catch(error => {
				throw new RunError(lastLines(stderr), {cause: error});
			});
}
