/** Which points of all targets go, by all that is known now. */
import type {Outcome} from '../../base/results.ts';
import type {Survey} from '../plan/survey.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import {deedsOf} from '../repository/owner.ts';
import {type Marked, oursAmong, type Point, pointsOf} from '../repository/points.ts';
import type {Access} from '../restic/repository.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {State} from '../state/state.ts';
import {doubtOf, lastOutcome, neededPoints} from './knowledge.ts';
import {decide, describeShrunken, type Retention, type RetentionPolicy} from './retention.ts';
import {shrunken} from './shrink.ts';

interface VerdictParts {
	workshop: Workshop;
	survey: Pick<Survey, 'targets'>;
	state: State;
	door: Pick<RepositoryDoor, 'open' | 'access'>;
	/** `keep` is that of targets whose labels do not say. */
	policy: RetentionPolicy;
}

interface Asked {
	/** A backup that is not in the state yet. */
	ended?: {target: string; outcome: Outcome};
	/** All of the repository, where somebody has just listed them. */
	snapshots?: readonly Marked[];
	access?: Access;
}

/** By target, sorted by name. What shrank is remembered: `status` says it. @throws {RepositoryError} */
export type Verdicts = (asked?: Asked) => Promise<Retention[]>;

export function createVerdicts({workshop, survey, state, door, policy}: VerdictParts): Verdicts {
	return async ({ended, snapshots, access = door.access()} = {}) => {
		await door.open();
		const points = Map.groupBy(await allOwn(workshop, state, snapshots), point => point.target);
		const found = new Map((await survey.targets()).map(each => [each.name, each]));
		const retentions = [...points].map(([name, ofTarget]) => {
			const target = found.get(name);
			return decide(
				name,
				ofTarget,
				{...policy, keep: target?.policy.keep ?? policy.keep},
				{
					now: Date.now(),
					lastOutcome: ended?.target === name ? ended.outcome : lastOutcome(state, name),
					doubt: shutBy(access) ?? doubtOf(target),
					needed: neededPoints(state, name, ofTarget),
					accepted: state.acceptedUpTo(name),
				},
			);
		});
		for (const [name, ofTarget] of points) {
			const [first] = shrunken(ofTarget, {limit: policy.shrinkLimit, accepted: state.acceptedUpTo(name)});
			state.saveSuspicion(name, first === undefined ? null : describeShrunken(name, first));
		}

		return retentions.sort((a, b) => (a.target < b.target ? -1 : 1));
	};
}

/** Why nothing may be removed. */
export const shutBy = (access: Access): string | undefined =>
	({full: undefined, 'append-only': 'the repository is append-only', 'read-only': 'the repository is read-only'})[access];

/** Other agents may use the same repository, and the same names of hosts and targets. What was decided since, also by another, is heeded. */
export async function allOwn({restic, ownership}: Workshop, state: Pick<State, 'learnDeeds'>, known?: readonly Marked[]): Promise<Point[]> {
	const snapshots = known?.filter(({tags}) => tags.includes('holdfast')) ?? (await restic().snapshots(['holdfast']));
	state.learnDeeds(deedsOf(snapshots));
	return oursAmong(pointsOf(snapshots), ownership());
}
