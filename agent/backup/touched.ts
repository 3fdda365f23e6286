/** What a backup touches: others who touch it too go before or after it. */
import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {undoOrFinish} from '../../base/ways-out.ts';
import {sharesStorage} from '../../docker/storage.ts';
import type {Plan, Surveyed} from '../plan/planned.ts';
import type {Touched} from '../runs/holds.ts';
import {storageOf} from '../sources/mounts.ts';
import {isUnjudged, type RestoreJournal, type RestoreRecord} from '../state/restores.ts';

/** Whoever stands still, stands still for this run alone. What is read, others may read too; and its containers must run on meanwhile. */
export function touchedBy({target, plan}: Pick<Surveyed, 'target' | 'plan'>): Touched[] {
	const still = stillIn(plan);
	const needed = target.members.flatMap(({replicas}) => replicas.map(({id}) => id)).filter(id => !still.has(id));
	return [
		...touchedInMoment(plan),
		...needed.map(container => ({container, alone: false})),
		...plan.sources.flatMap(({mount}) => (mount === undefined ? [] : [{mount, alone: false}])),
	];
}

/** Those who stand still. */
export const touchedInMoment = (still: Pick<Plan, 'quiesce' | 'resting'>): Touched[] =>
	[...stillIn(still)].map(container => ({container, alone: true}));

const stillIn = ({quiesce, resting}: Pick<Plan, 'quiesce' | 'resting'>): Set<string> =>
	new Set([...quiesce, ...resting].map(({container}) => container.id));

/** A recovery tries again every few minutes, and then leaves it to a person or gives up. */
const recoveryPatienceMs = 10 * 60_000;

/**
 * What a restore left half replaced is no state to be kept, nor what may be put back at once: waits for the recovery of it.
 * @throws {RunError} when it is left to a person, or the recovery takes too long
 * @returns whether it had to wait
 */
export async function untilWhole(
	restores: RestoreJournal,
	{target, plan}: Pick<Surveyed, 'target' | 'plan'>,
	{signal, tell}: {signal: AbortSignal; tell: Tell},
): Promise<boolean> {
	const deadline = Date.now() + recoveryPatienceMs;
	for (let told = ''; ; ) {
		const record = restores.restores().find(each => (isHalf(each) || isUnjudged(each)) && concerns(each, target.name, plan.sources));
		if (record === undefined) {
			return told !== '';
		}

		if (isUnjudged(record) && Date.now() > deadline) {
			return true;
		}

		if (record.phase === 'failed' || Date.now() > deadline) {
			throw new RunError(
				`restore ${record.run} of \`${record.target}\` has left its data half replaced, so no backup is made of it: it would be neither the old nor the new`,
				{
					hint: undoOrFinish(record.run, 'put back what was there before', 'or keep what is there now'),
				},
			);
		}

		if (told !== record.run) {
			told = record.run;
			tell({type: 'step', step: 'wait', subject: `the recovery of restore ${record.run} (${record.target})`});
		}

		await delay(500, undefined, {signal}).catch(() => signal.throwIfAborted());
	}
}

const isHalf = ({phase}: RestoreRecord): boolean => phase === 'swapping' || phase === 'undoing' || phase === 'failed';

/** The same target, or the same storage under another's name. */
const concerns = ({target, replacements}: RestoreRecord, name: string, sources: Surveyed['plan']['sources']): boolean =>
	target === name ||
	replacements.some(
		({target: own, mount: replaced}) =>
			own === name ||
			(replaced !== undefined && sources.some(({mount}) => mount !== undefined && sharesStorage(storageOf(replaced), mount))),
	);
