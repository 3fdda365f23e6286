/** Where Swarm runs a target: what tells a service that has moved from another of the same name. */
import type {Engine} from '../../docker/engine.ts';
import type {Plan} from '../plan/planned.ts';
import type {Manifest} from '../repository/manifest.ts';

/** Undefined: Swarm has nothing to do with it, or nobody knows since when it is here. @param hereSince milliseconds since 1970 */
export async function swarmOf(
	engine: Pick<Engine, 'info'>,
	{plan: {sources}, hereSince}: {plan: Pick<Plan, 'sources'>; hereSince?: number | undefined},
): Promise<Manifest['swarm']> {
	const [first, ...others] = [...new Set(sources.flatMap(({container}) => container.swarm?.service ?? []))].sort();
	if (first === undefined || hereSince === undefined) {
		return undefined;
	}

	// A point is none the worse without: then only its services say where it is.
	const {managers = []} = await engine.info().catch(() => ({managers: []}));
	return {
		services: [first, ...others],
		since: new Date(hereSince).toISOString(),
		...(managers.length === 0 ? {} : {managers: [...managers]}),
	};
}
