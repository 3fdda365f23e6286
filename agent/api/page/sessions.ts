/** Who signed in on the status page. Kept in memory: after a restart of the agent everybody signs in again. */
import {createHash, randomBytes} from 'node:crypto';

export const sessionSeconds = 12 * 3600;

/** More than that nobody needs; the oldest one makes room. */
const mostSessions = 100;

export interface Sessions {
	/** A new session; its id says nothing of the token. */
	begin: () => string;
	isOpen: (id: string | undefined) => boolean;
	end: (id: string | undefined) => void;
}

export function createSessions(now: () => number = Date.now): Sessions {
	/** When each ends, by the hash of its id; oldest first. */
	const ends = new Map<string, number>();
	return {
		begin() {
			const id = randomBytes(32).toString('base64url');
			ends.set(hash(id), now() + sessionSeconds * 1000);
			for (const key of [...ends.keys()].slice(0, -mostSessions)) {
				ends.delete(key);
			}

			return id;
		},
		isOpen: id => id !== undefined && (ends.get(hash(id)) ?? 0) > now(),
		end(id) {
			if (id !== undefined) {
				ends.delete(hash(id));
			}
		},
	};
}

const hash = (id: string): string => createHash('sha256').update(id).digest('hex');
