/** Who needs whom: dependents are quiesced first, so that nobody meets a dependency that does not answer, and started last. */
import type {Container} from './container.ts';

/** What is known of a container's needs. */
export type Needing = Pick<Container, 'id' | 'name'> & Partial<Pick<Container, 'project' | 'service' | 'swarm' | 'dependsOn' | 'livesIn'>>;

/**
 * Stable by name; a circle of dependencies is cut at the first name.
 *
 * @param known all containers of the engine: a dependency may lead through one that is not quiesced
 */
export function dependentsFirst(containers: readonly Container[], known: readonly Container[]): Container[] {
	const needs = needsOf(containers, known);
	const waiting = [...containers].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
	const dependents = new Map<string, number>();
	const count = (container: Container, step: number): void => {
		for (const id of needs.get(container.id) ?? []) {
			dependents.set(id, (dependents.get(id) ?? 0) + step);
		}
	};

	const isFree = ({id}: Container): boolean => (dependents.get(id) ?? 0) === 0;
	for (const container of waiting) {
		count(container, 1);
	}

	return containers.flatMap(() => {
		const next = waiting.splice(Math.max(waiting.findIndex(isFree), 0), 1);
		for (const container of next) {
			count(container, -1);
		}

		return next;
	});
}

/**
 * For each container, by its id: those that must be up before it, directly or not, by `depends_on` (within its project) or because it
 * lives in the other's network, PID or IPC namespace.
 */
export function needsOf(containers: readonly Needing[], known: readonly Needing[]): Map<string, ReadonlySet<string>> {
	const key = (project = '', service = '') => `${project} ${service}`;
	const services = Map.groupBy(
		known.filter(({project, service}) => project !== undefined && service !== undefined),
		({project, service}) => key(project, service),
	);
	const byName = new Map(known.flatMap(container => [[container.id, container] as const, [container.name, container] as const]));
	const direct = ({project, dependsOn = [], livesIn = []}: Needing): Needing[] => [
		...dependsOn.flatMap(service => services.get(key(project, service)) ?? []),
		...livesIn.flatMap(host => byName.get(host) ?? []),
	];
	const needed = (container: Needing): Set<string> => {
		const found = new Set<string>();
		const pending = direct(container);
		for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
			if (!found.has(next.id)) {
				found.add(next.id);
				pending.push(...direct(next));
			}
		}

		found.delete(container.id);
		return found;
	};

	return new Map(containers.map(container => [container.id, needed(container)]));
}

export interface Companion {
	container: Container;
	/** For people: `lives in the network, PID or IPC namespace of container vpn`. */
	reason: string;
}

/** Who is cut off when a container is stopped, or asks to be started anew with it: those must be stopped before it, and started after it. */
export function companionsOf({id, name, project, service}: Container, known: readonly Container[]): Companion[] {
	return known.flatMap(container => {
		if (container.id === id) {
			return [];
		}

		if (container.livesIn?.some(host => host === id || host === name)) {
			return [{container, reason: `lives in the network, PID or IPC namespace of container \`${name}\``}];
		}

		const restarts = project !== undefined && container.project === project && container.restartsWith?.includes(service ?? '') === true;
		return restarts ? [{container, reason: `depends on ${service} with \`restart: true\``}] : [];
	});
}
