/** What restores replaced is let go after a stated time, if nobody decided before. */
import {explain} from '../../base/errors.ts';
import type {Log} from '../../base/log.ts';
import type {Notices} from '../../base/notices.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import type {Settle} from './settle.ts';

/** What could not be let go is tried again after this, then after twice as long, at last once a day. */
const firstPauseMs = 10 * 60_000;
const longestPauseMs = 24 * 3_600_000;

interface ExpiryParts {
	state: Pick<State, 'restores' | 'saveRestore' | 'tellOnce'>;
	log: Log;
	notices: Pick<Notices, 'send'>;
	settle: Settle;
	/** None of its targets is there any more. */
	isGone: (record: RestoreRecord) => Promise<boolean>;
	keepMs: number;
	now?: () => number;
	/** Milliseconds that only grow, whatever the clock is set to. */
	passed?: () => number;
}

/** A clock that is set by more was wrong before. */
const jumpMs = 60_000;

/** Gives what starts a run for each restore whose time is over. A target that is busy has its turn the next time; of one that is gone, people are told once. */
export function createExpiry({
	state,
	log,
	notices,
	settle,
	isGone,
	keepMs,
	now = Date.now,
	passed = () => performance.now(),
}: ExpiryParts): () => Promise<void> {
	let looked = {clock: now(), passed: passed()};
	const pauses = new Map<string, {ms: number; until: number}>();

	const failed = (run: string): void => {
		const ms = Math.min((pauses.get(run)?.ms ?? firstPauseMs / 2) * 2, longestPauseMs);
		pauses.set(run, {ms, until: now() + ms});
	};

	const letGo = async (record: RestoreRecord): Promise<void> => {
		const {run, target} = record;
		if (await isGone(record)) {
			tellOfKept({state, notices}, record, now());
			return;
		}

		try {
			const {finished} = settle(record, 'finish', {trigger: 'schedule'});
			const {outcome} = await finished;
			if (outcome === 'failed') {
				failed(run);
			}
		} catch (error) {
			log.info(`what restore ${run} of \`${target}\` replaced is let go later: ${explain(error)}`);
		}
	};

	/** A clock that was behind when the restore swapped, and is set now, has let no time go by. */
	const heedClock = (): void => {
		const expected = looked.clock + passed() - looked.passed;
		const aheadMs = now() - expected;
		for (const record of aheadMs > jumpMs ? state.restores() : []) {
			if (record.swappedAt !== null && record.swappedAt <= expected) {
				state.saveRestore({...record, swappedAt: record.swappedAt + aheadMs});
			}
		}

		looked = {clock: now(), passed: passed()};
	};

	return async () => {
		heedClock();
		const due = state
			.restores()
			.filter(
				({run, phase, swappedAt}) => phase === 'swapped' && swappedAt !== null && swappedAt + keepMs <= now() && isOver(pauses.get(run)),
			);
		await Promise.all(due.map(letGo));
	};

	function isOver(pause: {until: number} | undefined): boolean {
		return pause === undefined || pause.until <= now();
	}
}

/** What a restore replaced, of a target that is gone. */
export function tellOfKept(
	{state, notices}: {state: Pick<State, 'tellOnce'>; notices: Pick<Notices, 'send'>},
	{run, target}: RestoreRecord,
	at: number,
): void {
	if (state.tellOnce(`kept ${run}`, 'gone')) {
		notices.send({
			kind: 'kept',
			target,
			text: `what restore ${run} of \`${target}\` made or replaced is kept, because \`${target}\` is not there any more`,
			hint: `when it is back it goes on by itself; or let go of it: holdfast restore finish ${run} --force`,
			at,
		});
	}
}
