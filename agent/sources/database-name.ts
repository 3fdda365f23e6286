/** Names of the databases that a restore makes beside the live ones. */
import {createHash} from 'node:crypto';

/** PostgreSQL cuts longer names off; MariaDB takes 64 characters. */
const nameBytes = 63;

/** `<name>_<what>_<run>`; where that is too long, the name is cut and told from others by its hash. */
export function databaseName(name: string, what: 'restore' | 'before', run: string): string {
	const suffix = `_${what}_${run}`;
	if (Buffer.byteLength(name + suffix) <= nameBytes) {
		return name + suffix;
	}

	const hash = `~${createHash('sha256').update(name).digest('hex').slice(0, 4)}`;
	const characters = Array.from(name);
	while (Buffer.byteLength(characters.join('') + hash + suffix) > nameBytes) {
		characters.pop();
	}

	return characters.join('') + hash + suffix;
}

/** What {@link databaseName} gave: no part of a server's data. */
export const keptByRestore = /_(?:restore|before)_\d{8}t\d{6}-[0-9a-z]+$/;
