/** Containers that are tasks of Docker Swarm, among all others. Pure. */
import {type Container, isUp} from './container.ts';
import type {SwarmService} from './stack.ts';

/** All of its tasks run: one that is over is no longer wanted. */
const isElsewhere = ({mode, replicas, running}: SwarmService): boolean => mode === 'replicated' && replicas > 0 && running >= replicas;

/**
 * Swarm keeps the containers of tasks that are over. One of a service is enough, the newest, and none where another is up, be it on another node: so a service that is
 * scaled to nothing is still found, with its mounts, and one that moved is not found where it was. What labels its services have is theirs, too. Pure.
 * @param services undefined where nobody told
 */
export function currentTasks(containers: readonly Container[], services: readonly SwarmService[] | undefined): Container[] {
	const known = new Map(services?.map(service => [service.id, service]));
	const newestFirst = containers.toSorted((one, other) => Number(isUp(other)) - Number(isUp(one)) || other.createdAt - one.createdAt);
	const first = new Map(newestFirst.toReversed().map(container => [container.swarm?.service, container]));
	const isLast = (container: Container, service: string): boolean => {
		const told = known.get(service);
		return first.get(service) === container && !(told !== undefined && isElsewhere(told));
	};
	return containers
		.filter(container => container.swarm === undefined || isUp(container) || isLast(container, container.swarm.service))
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

/** For people: why nobody can tell on this node whether its storage is still that of its service. Undefined where it is up, or a manager knows. Pure. */
export function whyUncertain(container: Pick<Container, 'swarm' | 'state' | 'name'>): {message: string; hint: string} | undefined {
	const {swarm, name} = container;
	return swarm === undefined || swarm.mode !== undefined || isUp(container)
		? undefined
		: {
				message: `the task of the Swarm service \`${swarm.name}\` on this node is over, and only a manager knows whether it runs on another one now`,
				hint: `where it moved, \`docker container rm ${name}\` removes what Swarm has left of it here`,
			};
}
