/** Where Swarm runs a target: what tells a service that has moved from another of the same name. */
import type {Engine} from '../../docker/engine.ts';
import type {Plan} from '../plan/planned.ts';
import type {Manifest} from '../repository/manifest.ts';

/**
 * As it is now: since the plan was made, its stack may have been deployed anew, and another node be a manager. What the engine does not say is as it
 * was planned, or left out: a point is none the worse.
 * @param hereSince milliseconds since 1970
 * @returns undefined: Swarm has nothing to do with it, or nobody knows since when it is here
 */
export async function swarmOf(
	engine: Pick<Engine, 'info' | 'list'>,
	{plan: {sources}, hereSince}: {plan: Pick<Plan, 'sources'>; hereSince?: number | undefined},
): Promise<Manifest['swarm']> {
	const planned = sources.flatMap(({container}) => container.swarm ?? []);
	if (planned.length === 0 || hereSince === undefined) {
		return undefined;
	}

	const [{managers = []}, containers] = await Promise.all([engine.info().catch(() => ({managers: []})), engine.list().catch(() => [])]);
	const now = containers.flatMap(({swarm}) => swarm ?? []);
	const services = planned.map(({name, service}) => now.find(other => other.name === name)?.service ?? service);
	const [first = '', ...others] = [...new Set(services)].sort();
	return {
		services: [first, ...others],
		since: new Date(hereSince).toISOString(),
		...(managers.length === 0 ? {} : {managers: [...managers]}),
	};
}
