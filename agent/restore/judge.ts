/** What a restore had swapped and started when the agent ended is judged by the next life, as the restore itself would have done. */
import {setTimeout as delay} from 'node:timers/promises';
import {explain} from '../../base/errors.ts';
import type {Engine} from '../../docker/engine.ts';
import {untilHealthy} from '../../docker/health.ts';
import type {Needing} from '../../docker/order.ts';
import {watchStart} from '../../docker/put-back.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import {confirmAll} from './confirm.ts';

/** What the agent left stopped is put back at its start. What is not by then is not well. */
const putBackMs = 60_000;

/** By which name it is found again: a service of Swarm has other tasks since. */
export const judgedBy = ({name, swarm}: Pick<Needing, 'name' | 'swarm'>): string => swarm?.name ?? name;

interface Judgement {
	engine: Engine;
	state: Pick<State, 'open'>;
	warn: (message: string) => void;
	signal: AbortSignal;
}

/** @returns why the application refuses what was restored; undefined where it does not */
export async function refusalOf(
	{run, unjudged, replacements}: RestoreRecord,
	{engine, state, warn, signal}: Judgement,
): Promise<string | undefined> {
	const deadline = Date.now() + putBackMs;
	while (state.open().some(entry => entry.run === run) && Date.now() < deadline) {
		await delay(100, undefined, {signal});
	}

	const containers = (await engine.list()).filter(container => unjudged.includes(judgedBy(container)));
	// Who dies at its start because another was late gets its further tries, as in the restore itself.
	await Promise.allSettled(
		containers
			.filter(({swarm}) => swarm === undefined)
			.map(async ({id, name}) => watchStart({engine}, {id, name, undo: {kind: 'start', containerId: id, containerName: name}})),
	);
	try {
		for (const message of await untilHealthy(engine, containers)) {
			warn(message);
		}

		await confirmAll(replacements, {engine, signal});
		return undefined;
	} catch (error) {
		return explain(error);
	}
}
