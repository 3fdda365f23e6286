/** Workers and their volumes go, also those that an earlier life left. */
import {setTimeout as delay} from 'node:timers/promises';
import {type Container, workerLabel} from './container.ts';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/** On all that an agent made for itself: its id. */
export const agentLabel = 'holdfast.agent';

/** Of containers: those that this agent hired. */
const isWorkerOf =
	(agentId: string) =>
	({labels}: Pick<Container, 'labels'>): boolean =>
		labels[agentLabel] === agentId && labels[workerLabel] !== undefined;

const removalDeadlineMs = 15_000;

/** Every removal is tried. */
export async function removeAll(engine: Engine, containers: readonly string[], volumes: readonly string[]): Promise<void> {
	const removed = await Promise.allSettled(containers.map(async id => patiently(async () => engine.remove(id))));
	const failures = [
		...removed,
		...(await Promise.allSettled(volumes.map(async name => patiently(async () => engine.removeVolume(name))))),
	].filter(result => result.status === 'rejected');
	if (failures.length > 0) {
		throw new AggregateError(
			failures.map(failure => failure.reason),
			'a worker or its staging volume could not be removed',
		);
	}
}

/** A container that was killed removes itself: meanwhile the engine refuses to remove it, and its volume a little longer still. */
async function patiently(remove: () => Promise<void>): Promise<void> {
	const deadline = Date.now() + removalDeadlineMs;
	for (;;) {
		try {
			return await remove();
		} catch (error) {
			if (statusOf(error) !== 409 || Date.now() > deadline) {
				throw error;
			}
		}

		await delay(100);
	}
}

/** States in which a worker can do no more harm. */
const still = new Set(['created', 'exited', 'dead', 'removing']);

/**
 * Removes what an earlier life of this agent left behind. What the engine cannot remove, and does nothing any more, only takes room: it is tried
 * again at the next start, and keeps nobody from working.
 * @returns the names of the containers, and why something is left
 * @throws where a worker may be at work still
 */
export async function removeLeftovers(engine: Engine, agentId: string): Promise<{names: string[]; left: unknown}> {
	const find = async () => (await engine.list()).filter(isWorkerOf(agentId));
	const found = await find();
	let left: unknown;
	try {
		await removeAll(
			engine,
			found.map(({id}) => id),
			await engine.listVolumes(`${agentLabel}=${agentId}`),
		);
	} catch (error) {
		if ((await find()).some(({state}) => !still.has(state))) {
			throw error;
		}

		left = error;
	}

	return {names: found.map(({name}) => name), left};
}
