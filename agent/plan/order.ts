/** The order of quiescing: dependents first, so that nobody meets a dependency that does not answer. */
import type {Container} from '../../docker/container.ts';

/**
 * Stable by name; a circle of dependencies is cut at the first name.
 *
 * @param known all containers of the engine: a dependency may lead through one that is not quiesced
 */
export function dependentsFirst(containers: readonly Container[], known: readonly Container[]): Container[] {
	const needed = new Map(containers.map(container => [container.id, everythingNeeded(container, known)]));
	const waiting = [...containers].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
	const ordered: Container[] = [];
	while (waiting.length > 0) {
		const free = waiting.findIndex(
			container => !waiting.some(other => other.id !== container.id && isNeeded(container, needed.get(other.id))),
		);
		ordered.push(...waiting.splice(Math.max(free, 0), 1));
	}

	return ordered;
}

const isNeeded = ({service}: Container, services: ReadonlySet<string> | undefined): boolean =>
	service !== undefined && services?.has(service) === true;

/** Services of the same project that must be up before this container, directly or not. */
function everythingNeeded(container: Container, known: readonly Container[]): Set<string> {
	const needed = new Set<string>();
	const pending = [...container.dependsOn];
	for (let service = pending.pop(); service !== undefined; service = pending.pop()) {
		if (!needed.has(service)) {
			needed.add(service);
			pending.push(
				...known.filter(other => other.project === container.project && other.service === service).flatMap(({dependsOn}) => dependsOn),
			);
		}
	}

	return needed;
}
