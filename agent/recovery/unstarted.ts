/**
 * Workers that do not run and that nobody removed: a call that makes one may be answered by nobody, and be done by the engine all the same. They
 * take nothing but keep volumes from being removed, and would do so until the next start of the agent.
 */
import {setTimeout as delay} from 'node:timers/promises';
import type {Container, ContainerState} from '../../docker/container.ts';
import {isWorkerOf, removeAll} from '../../docker/dismiss.ts';
import type {Recovery} from './recovery.ts';

/** A worker is started at once, and dismissed at the end of its run: what does not run twice in a row is nobody's. */
const lookMs = 5 * 60_000;

/** Who is being removed needs nobody for it. */
const notRunning: ReadonlySet<ContainerState> = new Set(['created', 'exited', 'dead']);

export async function keepRemovingUnstarted(
	{engine, state, log}: Pick<Recovery, 'engine' | 'log'> & {state: Pick<Recovery['state'], 'agentId'>},
	{signal, everyMs = lookMs}: {signal: AbortSignal; everyMs?: number},
): Promise<void> {
	const isOwn = isWorkerOf(state.agentId);
	const isLeft = (worker: Container) => isOwn(worker) && notRunning.has(worker.state);
	let seen = new Set<string>();
	for (;;) {
		await delay(everyMs, undefined, {signal});
		// An engine that is away is asked again.
		const left = (await engine.list().catch(() => [])).filter(isLeft);
		for (const {id, name} of left.filter(each => seen.has(each.id))) {
			await removeAll(engine, [id], []).then(
				() => log.info(`worker \`${name}\`, which did not run, was removed`),
				(error: unknown) => log.warning(`worker \`${name}\`, which does not run, could not be removed`, {error}),
			);
		}

		seen = new Set(left.map(({id}) => id));
	}
}
