/** The verbs of copies, as the agent offers them. */

import type {ScheduleEntry} from '../../base/due.ts';
import {explain} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import type {Keep} from '../../base/reading/keep.ts';
import {type CopyResult, repositoryTarget, resultOf} from '../../base/results.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import {doubtOf, lastOutcome, neededPoints} from '../keep/knowledge.ts';
import {releaseLocks} from '../keep/locks.ts';
import {decide, type RetentionPolicy} from '../keep/retention.ts';
import type {Survey} from '../plan/survey.ts';
import type {Point} from '../repository/points.ts';
import type {CopyRepository, Repositories} from '../repository/repositories.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {State} from '../state/state.ts';
import {copyPoints, type LabelsOf} from './copy.ts';
import {isCopiedTo, wereCopiedTo} from './wanted.ts';
import {worthCopying} from './worth.ts';

/** Removing data from an object store costs traffic; a little that nothing needs costs less. */
const pruneIntervalMs = 6.5 * 24 * 3_600_000;

interface CopyingParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	/** Of labels. */
	prefix: string;
	/** Its `keep` is not heeded: a copy has its own. */
	policy: RetentionPolicy;
}

export interface Copies {
	/** Names of the configured copies. */
	copies: () => string[];
	/** Brings what is missing into a copy. @throws {NotFoundError | BusyError} */
	copy: (name: string, trigger: string) => Promise<Accepted<CopyResult>>;
}

export interface Copying extends Copies {
	/** When each copy is due. */
	due: () => Array<Omit<ScheduleEntry, 'since'>>;
}

export function createCopying({workshop, survey, runs, state, repositories, prefix, policy}: CopyingParts): Copying {
	const isOver = (run: string) => state.findRun(run)?.state === 'finished';

	/** Of a target that is there, its label counts; of one that is gone, those that its newest point recorded. */
	const isWanted = async (name: string, points: readonly Point[], labelsOf: LabelsOf): Promise<Point[]> => {
		const policies = new Map((await survey.targets()).map(target => [target.name, target.policy.copies]));
		const wanted: Point[] = [];
		for (const [target, ofTarget] of Map.groupBy(points, point => point.target)) {
			const [newest] = ofTarget;
			const isPresent = policies.has(target) || newest === undefined;
			if (isPresent ? isCopiedTo(name, policies.get(target)) : wereCopiedTo(name, await labelsOf(newest), prefix)) {
				wanted.push(...ofTarget);
			}
		}

		return wanted;
	};

	/** The guards are those of the primary repository. */
	const retire = async (keep: Keep | undefined, there: readonly Point[]): Promise<Point[]> => {
		const found = new Map((await survey.targets()).map(each => [each.name, each]));
		return [...Map.groupBy(there, ({target}) => target)].flatMap(([name, points]) =>
			decide(
				name,
				points,
				{...policy, keep},
				{
					now: Date.now(),
					lastOutcome: lastOutcome(state, name),
					doubt: doubtOf(found.get(name)),
					needed: neededPoints(state, name, points),
					accepted: state.acceptedUpTo(name),
				},
			).points.flatMap(({action, point}) => (action === 'remove' ? [point] : [])),
		);
	};

	/** What an interrupted copy left would keep others out. */
	const release = async ({restic}: CopyRepository, tell: Tell): Promise<void> => {
		try {
			const {warning} = await releaseLocks({workshop: {...workshop, restic}, isOver, hosts: state.hosts()});
			if (warning !== undefined) {
				tell({type: 'warning', message: warning});
			}
		} catch (error) {
			tell({type: 'warning', message: `locks of interrupted runs could not be removed: ${explain(error)}`});
		}
	};

	const work = async (to: CopyRepository, {run, startedAt, signal, tell}: RunContext): Promise<CopyResult> => {
		const earlier = state.runs({target: repositoryTarget(to.name), operation: 'copy', limit: 100}).filter(record => record.run !== run);
		if (earlier[0] !== undefined && earlier[0].outcome !== 'success') {
			await release(to, tell);
		}

		const {keep} = to.copy;
		const pruned = earlier.find(record => resultOf('copy', record)?.pruned);
		return copyPoints(workshop, {
			run,
			startedAt,
			from: repositories.primary,
			to,
			choose: async (points, there, labelsOf) =>
				worthCopying(await isWanted(to.name, points, labelsOf), there, {keep, timeZone: policy.timeZone, now: Date.now()}),
			retire: async there => retire(keep, there),
			prune: keep !== undefined && startedAt.getTime() - (pruned?.queuedAt ?? 0) > pruneIntervalMs,
			isOver,
			signal,
			tell,
		});
	};

	return {
		copies: () => repositories.copies.map(({name}) => name),
		async copy(name, trigger) {
			const to = repositories.copy(name);
			return runs.start({
				operation: 'copy',
				target: repositoryTarget(name),
				trigger,
				background: true,
				work: async context => work(to, context),
			});
		},
		// Where a person said that it is only read, no copy is missed.
		due: () =>
			repositories.copies
				.filter(({repository}) => repository.access !== 'read-only')
				.map(({name, copy}) => ({operation: 'copy', subject: repositoryTarget(name), line: copy.schedule})),
	};
}
