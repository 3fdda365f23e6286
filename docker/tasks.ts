/** Containers that are tasks of Docker Swarm, among all others. Pure. */
import type {Container} from './container.ts';
import type {SwarmService} from './stack.ts';

const isUp = ({state}: Container): boolean => state === 'running' || state === 'paused' || state === 'restarting';

/**
 * Swarm keeps the containers of tasks that are over. One of a service is enough, the newest, and none where another is up: so a service that is
 * scaled to nothing is still found, with its mounts. What labels its services have is theirs, too. Pure.
 * @param services undefined where nobody told
 */
export function currentTasks(containers: readonly Container[], services: readonly SwarmService[] | undefined): Container[] {
	const known = new Map(services?.map(service => [service.id, service]));
	const newestFirst = containers.toSorted((one, other) => Number(isUp(other)) - Number(isUp(one)) || other.createdAt - one.createdAt);
	const first = new Map(newestFirst.toReversed().map(container => [container.swarm?.service, container]));
	return containers
		.filter(container => container.swarm === undefined || isUp(container) || first.get(container.swarm.service) === container)
		.map(container => {
			const service = known.get(container.swarm?.service ?? '');
			return container.swarm === undefined || service === undefined
				? container
				: {...container, swarm: {...container.swarm, mode: service.mode}, labels: {...service.labels, ...container.labels}};
		});
}

/** Why the task cannot be stopped, for people; undefined where it can, and for what is no task. Pure. */
export function whyNotStopped({swarm}: Pick<Container, 'swarm'>): string | undefined {
	if (swarm === undefined || swarm.mode === 'replicated') {
		return undefined;
	}

	return swarm.mode === 'global'
		? `the Swarm service \`${swarm.name}\` is global: one of its tasks cannot be stopped by itself`
		: `it is a task of the Swarm service \`${swarm.name}\`, and only a manager can stop that`;
}
