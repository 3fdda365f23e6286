/** What a server says of what it loaded when it started. Pure. */
import {RunError} from '../../../base/errors.ts';
import {countKeys} from './client.ts';
import type {ValkeyDetails} from './details.ts';

/** Keys whose time is over are not loaded. @returns how many there are @throws where some are missing */
export function assertLoaded({keys, expires}: Pick<ValkeyDetails, 'keys' | 'expires'>, info: ReadonlyMap<string, string>): number {
	const loaded = info.get('rdb_last_load_keys_loaded');
	// Before 7.0 it does not say: its application may have written since.
	const found = loaded === undefined ? countKeys(info).keys : Number(loaded);
	const least = loaded === undefined ? keys - expires : keys - Number(info.get('rdb_last_load_keys_expired') ?? 0);
	if (found < least) {
		throw new RunError(`the server has loaded ${found} keys, and the point has ${keys}`, {
			hint: "see the server's log: does it load another file than the one that `CONFIG GET dir` and `dbfilename` named?",
		});
	}

	return found;
}
