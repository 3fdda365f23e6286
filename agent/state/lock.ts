/** One agent at a time works with a state: a second one would take the runs of the first for those of a life that is over, and put back what they are at. */
import {DatabaseSync} from 'node:sqlite';
import {RunError} from '../../base/errors.ts';

export interface StateLock {
	release: () => void;
}

/** SQLITE_BUSY. */
const busyCode = 5;

/**
 * Nothing is written into the file: its lock is the kernel's, and ends with the process, however that ends. Where there are no locks (some file systems
 * of the network), nobody is kept out.
 * @param onTaken told why, each time that another has it
 * @throws {RunError} while another agent has it, in whichever container
 */
export function lockState(path: string, onTaken?: (why: RunError) => void): StateLock {
	let database: DatabaseSync | undefined;
	try {
		database = new DatabaseSync(path, {timeout: 0});
		database.exec('begin exclusive');
	} catch (error) {
		database?.close();
		if (error instanceof Error && 'errcode' in error && error.errcode === busyCode) {
			const taken = new RunError('another agent works with the same state, so this one waits until that has ended', {
				hint: 'is the volume of `/state` mounted into two containers, or was a second one started by `docker compose run`? `docker ps` shows them; end one, or give it a state of its own',
			});
			onTaken?.(taken);
			throw taken;
		}

		return {release() {}};
	}

	return {release: () => database.close()};
}
