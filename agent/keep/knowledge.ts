/** What the state knows of points that removing them must heed. */
import {type Outcome, resultOf} from '../../base/results.ts';
import type {Survey} from '../plan/survey.ts';
import type {Point} from '../repository/points.ts';
import type {State} from '../state/state.ts';

export function doubtOf(found: Awaited<ReturnType<Survey['targets']>>[number] | undefined): string | undefined {
	if (found === undefined) {
		return 'it is not found on this engine, so nobody knows what it should keep';
	}

	return found.problems.length > 0 ? 'its labels have mistakes, so nobody knows what it should keep' : undefined;
}

export const lastOutcome = (state: State, target: string): Outcome | undefined =>
	state.runs({target, operation: 'backup', isFinished: true, limit: 1})[0]?.outcome ?? undefined;

/** The newest point that a drill has proven, and those that a restore which may still be undone has used: of a whole project there are several. */
export function neededPoints(state: Pick<State, 'restores' | 'runs'>, target: string, points: readonly Point[]): Map<string, string> {
	const needed = new Map<string, string>();
	for (const id of state.restores().flatMap(({point}) => point.split(','))) {
		needed.set(id, 'a restore of it may be undone');
	}

	const names = new Set([target, ...points.map(({filedAs}) => filedAs)]);
	const drills = [...names].flatMap(name => state.runs({target: name, operation: 'drill', outcome: 'success', limit: 1000}));
	const proven = new Set(drills.flatMap(record => resultOf('drill', record)?.point ?? []));
	const verified = points.find(({id}) => proven.has(id));
	return verified === undefined ? needed : needed.set(verified.id, 'the newest that a drill has proven');
}
