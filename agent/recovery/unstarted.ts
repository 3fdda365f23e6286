/**
 * Workers that do not run and that nobody removed: a call that makes one may be answered by nobody, and be done by the engine all the same. They
 * take nothing but keep networks and volumes from being removed, and would do so for ever where their agent never comes back: any agent of the engine
 * removes them then.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {type Container, workerLabel} from '../../docker/container.ts';
import {agentLabel, removeAll} from '../../docker/dismiss.ts';
import type {Recovery} from './recovery.ts';

/** A worker is started at once, and dismissed at the end of its run: what does not run twice in a row is nobody's. */
const lookMs = 5 * 60_000;

/** Of another agent, which removes its own much sooner when it lives. As it was seen, not as clocks say: those are set. */
const othersMs = 3_600_000;

export async function keepRemovingUnstarted(
	{engine, state, log}: Pick<Recovery, 'engine' | 'log'> & {state: Pick<Recovery['state'], 'agentId'>},
	{
		signal,
		everyMs = lookMs,
		othersAfterMs = othersMs,
		now = () => performance.now(),
	}: {signal: AbortSignal; everyMs?: number; othersAfterMs?: number; now?: () => number},
): Promise<void> {
	/** Since when each was seen in every look, by its id. */
	let seen = new Map<string, number>();
	const isNobodys = ({id, labels}: Container): boolean => {
		const since = seen.get(id);
		return since !== undefined && (labels[agentLabel] === state.agentId || now() - since >= othersAfterMs);
	};

	for (;;) {
		await delay(everyMs, undefined, {signal});
		const listed = await engine.list().catch(() => undefined);
		if (listed === undefined) {
			// An engine that is away is asked again.
			continue;
		}

		const left = listed.filter(isUnstarted);
		for (const {id, name, labels} of left.filter(isNobodys)) {
			const whose = labels[agentLabel] === state.agentId ? '' : ` of agent \`${labels[agentLabel]}\`, which does not come back`;
			await removeAll(engine, [id], []).then(
				() => log.info(`worker \`${name}\`${whose}, which did not run, was removed`),
				(error: unknown) => log.warning(`worker \`${name}\`, which does not run, could not be removed`, {error}),
			);
		}

		seen = new Map(left.map(({id}) => [id, seen.get(id) ?? now()]));
	}
}

const isUnstarted = ({labels, state}: Container): boolean =>
	labels[workerLabel] !== undefined && labels[agentLabel] !== undefined && (state === 'created' || state === 'exited' || state === 'dead');
