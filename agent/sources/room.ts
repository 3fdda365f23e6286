/** Whether what is written fits, asked before anything is touched. */
import {type Place, succeed} from '../command.ts';
import {RunError} from '../errors.ts';

interface Needed {
	source: string;
	/** Of the file system that is written to. */
	folder: string;
	/** Of all files that differ, as long as they are. What they replace is not counted: it may be removed only after they are written. */
	bytes: number;
	signal: AbortSignal;
}

/** @throws {RunError} that names both sizes */
export async function assertRoom(worker: Place, {source, folder, bytes, signal}: Needed): Promise<void> {
	const printed = await succeed(worker, {argv: ['stat', '--file-system', '--format=%a %S', '--', folder], signal});
	const [blocks = 0, size = 0] = printed.trim().split(' ').map(Number);
	const free = blocks * size;
	if (bytes > free) {
		throw new RunError(`there is too little room for \`${source}\`: ${inMiB(bytes)} differ, and its file system has ${inMiB(free)} left`, {
			hint: 'nothing was changed; make room and try again',
		});
	}
}

const inMiB = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
