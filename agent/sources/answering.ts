/** Containers that must run for what is taken of them. Pure. */
import type {Scope} from './kind.ts';

/**
 * Who stopped it, or paused it, had a reason: it stays as it is, and the others are backed up without it.
 * @param sources that would be missing; or what their names begin with
 */
export function canAnswer({container: {name, state}, remarks}: Pick<Scope, 'container' | 'remarks'>, sources: readonly string[]): boolean {
	if (state === 'restarting') {
		remarks.problem(`container \`${name}\`, which has to answer, does not come up (restarting)`, `docker logs ${name} says why`);
	} else if (state !== 'running') {
		const isPaused = state === 'paused';
		remarks.lack(
			sources,
			`container \`${name}\`, which has to answer, ${isPaused ? 'is paused by somebody else' : `is not running (${state})`}`,
			isPaused ? `docker unpause ${name}` : `docker start ${name}`,
		);
	}

	return state === 'running';
}
