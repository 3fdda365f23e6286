/** The backup before this one: files that it read, and that did not change since, need not be read again. */
import type {Point} from '../repository/points.ts';
import type {PreviousSnapshot, SourceContext} from '../sources/source.ts';
import type {State} from '../state/state.ts';

export interface Previous extends Omit<PreviousSnapshot, 'snapshot' | 'bytes' | 'newest'> {
	point: Point;
	newest: (source: string, snapshot: string) => PreviousSnapshot['newest'];
}

/** That of the newest point; undefined where there is none, or where another agent made it: when that one read its files is not known here. */
export function previousAmong(points: readonly Point[], state: State): Previous | undefined {
	// The files of an imported point were never those of the target; and what has another name since lies at another path.
	const point = points.find(({id, target, filedAs}) => target === filedAs && state.findRun(id)?.operation !== 'import');
	const run = point && state.findRun(point.id);
	if (point === undefined || !run?.finishedAt) {
		return undefined;
	}

	const latest = state.runs({target: point.target, operation: 'backup', limit: 2}).find(({state: progress}) => progress === 'finished');
	return {
		point,
		runStartedAt: new Date(run.startedAt ?? run.queuedAt),
		runEndedAt: new Date(run.finishedAt),
		isLatest: latest?.run === point.id,
		newest(source, snapshot) {
			const at = state.newest({target: point.target, source}, snapshot);
			return at == null ? at : new Date(at);
		},
	};
}

/** What of a source need not be read again. */
export const previousOf =
	(previous: Previous | undefined): SourceContext['previous'] =>
	source => {
		if (previous === undefined) {
			return undefined;
		}

		const {point, newest, ...known} = previous;
		const found = point.sources.find(candidate => candidate.source === source);
		return found && {snapshot: found.snapshot, bytes: found.bytes, ...known, newest: newest(source, found.snapshot)};
	};
