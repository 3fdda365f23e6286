/** A small file of a container, through the engine: for a container that has no programs which could read it, or lets none. */
import {buffer} from 'node:stream/consumers';
import {RunError} from '../../base/errors.ts';
import type {Engine} from '../../docker/engine.ts';

const blockBytes = 512;
/** More than any password or lock file has. */
const mostBytes = 65_536;

/** @throws where it is no plain, small file */
export async function readText(engine: Engine, container: string, path: string): Promise<string> {
	const archive = await engine.archive(container, path);
	const content = await buffer(archive);
	const size = Number.parseInt(content.subarray(124, 136).toString('latin1').replaceAll('\0', ' ').trim(), 8);
	const kind = content.subarray(156, 157).toString('latin1');
	if (!(['0', '\0'].includes(kind) && size <= mostBytes)) {
		throw new RunError(`\`${path}\` is no small file`);
	}

	return content.subarray(blockBytes, blockBytes + size).toString();
}
