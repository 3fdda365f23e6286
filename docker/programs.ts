/** Which programs run in containers, as the engine's host sees them: nothing is run in them for it. */
import {basename} from 'node:path/posix';
import type {Container} from './container.ts';
import type {Engine} from './engine.ts';

/** What runs in one that was made a moment ago may be its preparation. */
const settledMs = 10 * 60_000;
const keptMs = 60_000;

/** By the ids of containers; none where nobody could look. */
export type Programs = ReadonlyMap<string, readonly string[]>;

interface Asked {
	/** Of those that are there, those that somebody wants to know of; default: all. Each look runs a `ps` on the host. */
	wanted?: readonly Container[];
	maximumAgeMs?: number | undefined;
}

/** @returns what looks at those that run. What is long settled is asked once in a container's life */
export function createPrograms(engine: Pick<Engine, 'top'>, now: () => number = Date.now) {
	const known = new Map<string, {at: number; isSettled: boolean; programs: readonly string[]}>();
	const isFresh = (id: string, maximumAgeMs: number): boolean => {
		const found = known.get(id);
		return found !== undefined && (found.isSettled || now() - found.at < maximumAgeMs);
	};

	return async (containers: readonly Container[], {wanted = containers, maximumAgeMs = keptMs}: Asked = {}): Promise<Programs> => {
		const ids = new Set(containers.map(({id}) => id));
		for (const id of known.keys()) {
			if (!ids.has(id)) {
				known.delete(id);
			}
		}

		await Promise.all(
			wanted
				.filter(({id, state}) => (state === 'running' || state === 'paused') && !isFresh(id, maximumAgeMs))
				.map(async ({id, createdAt}) => {
					const programs = await engine.top(id).then(
						processes => processes.map(({argv}) => programOf(argv)),
						() => undefined,
					);
					if (programs !== undefined) {
						known.set(id, {at: now(), isSettled: now() - createdAt > settledMs, programs: [...new Set(programs)]});
					}
				}),
		);
		return new Map([...known].map(([id, {programs}]) => [id, programs]));
	};
}

/** `/usr/sbin/mysqld`, `postgres: checkpointer` and `sshd:` alike. */
const programOf = ([first = '']: readonly string[]): string => basename(first.replace(/:$/, ''));
