/** What restores replaced is let go after a stated time, if nobody decided before. */
import {explain} from '../../base/errors.ts';
import type {Log} from '../../base/log.ts';
import type {State} from '../state/state.ts';
import type {Settle} from './settle.ts';

interface Expiry {
	settle: Settle;
	keepMs: number;
	now?: number;
}

/** Starts a run for each restore whose time is over. A target that is busy has its turn the next time. */
export function expireReplaced({state, log}: {state: State; log: Log}, {settle, keepMs, now = Date.now()}: Expiry): void {
	for (const record of state.restores()) {
		if (record.phase === 'swapped' && record.swappedAt !== null && record.swappedAt + keepMs <= now) {
			try {
				const {finished} = settle(record, 'finish', {trigger: 'schedule'});
				finished.catch((error: unknown) => log.error('what a restore replaced could not be let go', {error}));
			} catch (error) {
				log.info(`what restore ${record.run} of \`${record.target}\` replaced is let go later: ${explain(error)}`);
			}
		}
	}
}
