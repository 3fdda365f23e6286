/** What of a new point is much smaller than before: once is enough to tell people. */
import type {Notices} from '../../base/notices.ts';
import type {BackupResult} from '../../base/results.ts';
import type {Point} from '../repository/points.ts';
import type {State} from '../state/state.ts';
import {describeShrunken} from './retention.ts';
import {shrunken} from './shrink.ts';

interface InspectParts {
	state: Pick<State, 'acceptedUpTo' | 'saveSuspicion' | 'tellOnce'>;
	notices: Pick<Notices, 'send'>;
	/** The share of its size that a source may lose from one point to the next. */
	shrinkLimit: number;
}

/**
 * @param earlier newest first
 * @returns completes "the point holds …"; undefined where it does not, or there is no point
 */
export function inspect(
	{state, notices, shrinkLimit}: InspectParts,
	{point: id, target: name, startedAt, sources}: BackupResult,
	earlier: readonly Point[],
): string | undefined {
	if (id === null) {
		return undefined;
	}

	const point = {id, time: new Date(startedAt), sources};
	const found = shrunken([point, ...earlier], {limit: shrinkLimit, accepted: state.acceptedUpTo(name)});
	const own = found.filter(each => each.point === point);
	const [first] = own;
	if (first === undefined) {
		if (state.tellOnce(`shrunk ${name}`, null)) {
			notices.send({kind: 'back', target: name, text: `\`${name}\` is no longer much smaller than before`, at: Date.now()});
		}

		return undefined;
	}

	const text = `\`${name}\` is much smaller than before: ${own.map(each => describeShrunken(name, each)).join('; ')}; until then no point of it is removed`;
	// The same every night: it is news when another source is concerned, or one that has nothing left.
	if (state.tellOnce(`shrunk ${name}`, own.map(({source, bytes}) => `${source}${bytes === 0 ? ' empty' : ''}`).join())) {
		notices.send({kind: 'shrunk', target: name, text, hint: `\`holdfast points ${name}\` shows them`, at: Date.now()});
	}

	state.saveSuspicion(name, describeShrunken(name, first));
	return `much less than before: ${own.map(each => describeShrunken(name, each)).join('; ')}; until then no point of it is removed`;
}
