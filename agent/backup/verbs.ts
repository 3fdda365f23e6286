/** Backups as runs: a target is surveyed, planned and backed up, and what belongs to no point any more is swept. */

import {explain, RepositoryError, UsageError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {failed} from '../../base/failed.ts';
import type {Problem} from '../../base/problem.ts';
import type {BackupResult} from '../../base/results.ts';
import type {Accepted, NoPlan} from '../../base/shapes.ts';
import type {Sweeper} from '../keep/sweep.ts';
import type {Upkeep} from '../keep/verbs.ts';
import type {Plan, Surveyed} from '../plan/planned.ts';
import type {Survey} from '../plan/survey.ts';
import {listPoints} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {State} from '../state/state.ts';
import {backup} from './backup.ts';
import {previousAmong} from './previous.ts';

/** A plan that has waited longer for its turn is made anew: meanwhile its containers may have been recreated, started or stopped. */
const freshMs = 5000;

/** What was asked for, and how things were then. */
interface Asked {
	surveyed: Surveyed;
	cold: boolean | undefined;
	/** Milliseconds since 1970. */
	at: number;
}

export interface Backups {
	/** @throws {NotFoundError | UsageError} */
	plan: (target: string) => Promise<Plan>;
	/** Those of every target; what `plan` would throw stands in place of a plan. */
	plans: () => Promise<Array<Plan | NoPlan>>;
	/** One run a target; a target with a run under way is refused. With `cold` it is stopped, whatever its labels say of quiescing. @throws {NotFoundError | BusyError} */
	backup: (target: string, trigger: string, cold?: boolean) => Promise<Accepted<BackupResult>>;
}

interface BackupParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
	sweeper: Sweeper;
	upkeep: Upkeep;
}

export function createBackups({workshop, survey, runs, state, repositories: {primary: repository}, sweeper, upkeep}: BackupParts): Backups {
	const restic = workshop.restic();

	const sweep = async (run: string, target: string, tell: Tell): Promise<void> => {
		const warning = await sweeper
			.sweep(run, target)
			.catch((error: unknown) => `what belongs to no point could not be forgotten: ${explain(error)}`);
		if (warning !== undefined) {
			tell({type: 'warning', message: warning});
		}
	};

	const backUp = async (asked: Asked, {run, startedAt, signal, tell}: RunContext): Promise<BackupResult> => {
		let {plan} = asked.surveyed;
		try {
			signal.throwIfAborted();
			const {problems, ...found} = Date.now() - asked.at < freshMs ? asked.surveyed : await survey.one(plan.target, asked.cold);
			plan = found.plan;
			if (problems.length > 0) {
				throw new UsageError(problems.map(({message}) => message).join('; '));
			}

			tell({type: 'step', step: 'plan'});
			await repository.open();
			const points = await listPoints(restic, plan.target);
			const previous = previousAmong(points, state);
			const result = await backup(workshop, {run, plan, startedAt, previous, signal, tell});
			const suspicion = upkeep.inspect(result, points);
			if (suspicion !== undefined) {
				tell({type: 'warning', message: suspicion});
			}

			if (result.point !== null && runs.isAlone(run)) {
				await sweep(run, plan.target, tell);
				await upkeep.retain(result, tell);
			}

			return suspicion === undefined ? result : {...result, warnings: [...(result.warnings ?? []), suspicion]};
		} catch (error) {
			if (error instanceof RepositoryError) {
				repository.doubt();
			}

			return failed.backup(
				{run, target: plan.target, startedAt},
				error,
				plan.sources.map(({name}) => name),
			);
		}
	};

	return {
		async plan(target) {
			return (await ready(survey, target)).plan;
		},
		async plans() {
			return (await survey.all()).map(({target, plan, problems}) =>
				problems.length > 0 ? {target: target.name, error: explain(refusal(problems))} : plan,
			);
		},
		async backup(target, trigger, cold) {
			const surveyed = trigger.startsWith('schedule') ? await survey.one(target, cold) : await ready(survey, target, cold);
			const asked = {surveyed, cold, at: Date.now()};
			return runs.start({operation: 'backup', target, trigger, work: async context => backUp(asked, context)});
		},
	};
}

/** @throws {UsageError} with all problems of the target */
async function ready(survey: Survey, target: string, cold?: boolean): Promise<Surveyed> {
	const surveyed = await survey.one(target, cold);
	if (surveyed.problems.length > 0) {
		throw refusal(surveyed.problems);
	}

	return surveyed;
}

const refusal = (problems: readonly Problem[]): UsageError =>
	new UsageError(problems.map(({message}) => message).join('; '), {hint: problems.find(({hint}) => hint)?.hint});
