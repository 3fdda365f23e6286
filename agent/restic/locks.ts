/** Who has a repository locked. */
import {RepositoryError} from '../../base/errors.ts';
import type {Caller} from './call.ts';
import {lockContent} from './messages.ts';
import type {Lock, Locks} from './restic.ts';

export const locks = ({ask}: Caller): Locks => ({
	async locks() {
		const ids = (await ask({action: 'listing locks', arguments: ['list', '--no-lock', '--', 'locks']})).split('\n').filter(Boolean);
		const locks: Lock[] = [];
		for (const id of ids) {
			const call = {action: 'reading a lock', arguments: ['cat', '--no-lock', '--', 'lock', id]};
			// It may be gone by now
			const content = await ask(call).catch(error => {
				if (error instanceof RepositoryError && error.problem === 'failed') {
					return undefined;
				}

				throw error;
			});
			if (content !== undefined) {
				locks.push({id, ...lockContent.parse(JSON.parse(content))});
			}
		}

		return locks;
	},
	async unlock() {
		await ask({action: 'removing stale locks', arguments: ['unlock']});
	},
});
