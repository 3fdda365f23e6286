/** The order of quiescing: dependents first, so that nobody meets a dependency that does not answer. */
import type {Container} from './container.ts';

/**
 * Stable by name; a circle of dependencies is cut at the first name.
 *
 * @param containers of one project
 * @param known all containers of the engine: a dependency may lead through one that is not quiesced
 */
export function dependentsFirst(containers: readonly Container[], known: readonly Container[]): Container[] {
	const needs = servicesNeeded(containers, known);
	const waiting = [...containers].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
	const dependents = new Map<string, number>();
	const count = (container: Container, step: number): void => {
		for (const service of needs.get(container.id) ?? []) {
			dependents.set(service, (dependents.get(service) ?? 0) + step);
		}
	};

	const isFree = ({id, service = ''}: Container): boolean => (dependents.get(service) ?? 0) === Number(needs.get(id)?.has(service));
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

/** For each container, by its id: the services that must be up before it, directly or not. */
function servicesNeeded(containers: readonly Container[], known: readonly Container[]): Map<string, Set<string>> {
	const project = containers[0]?.project;
	const services = Map.groupBy(
		known.filter(container => project !== undefined && container.project === project),
		({service}) => service ?? '',
	);
	const needed = ({dependsOn}: Container): Set<string> => {
		const found = new Set<string>();
		const pending = [...dependsOn];
		for (let service = pending.pop(); service !== undefined; service = pending.pop()) {
			if (!found.has(service)) {
				found.add(service);
				pending.push(...(services.get(service) ?? []).flatMap(container => container.dependsOn));
			}
		}

		return found;
	};

	return new Map(containers.map(container => [container.id, needed(container)]));
}
