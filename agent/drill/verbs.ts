/** Drills as runs: what is asked for is found and checked, then rehearsed. */

import {UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {DrillResult} from '../../base/results.ts';
import type {Accepted, DrillRequest} from '../../base/shapes/runs.ts';
import type {Survey} from '../plan/survey.ts';
import {findPoint} from '../repository/find.ts';
import {readManifest} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {drill} from './drill.ts';
import {planDrill, type Rehearsal} from './plan.ts';

export interface Drills {
	/** Restores a point into scratch, checks it, throws the scratch away. @throws {NotFoundError | UsageError | BusyError} */
	drill: (request: DrillRequest) => Promise<Accepted<DrillResult>>;
}

interface DrillParts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	repositories: Repositories;
}

export function createDrills({workshop, survey, runs, repositories}: DrillParts): Drills {
	/** @throws {NotFoundError | UsageError} */
	const prepare = async ({from = repositories.primary.name, ...wish}: DrillRequest): Promise<Rehearsal> => {
		const {target} = await survey.one(wish.target);
		const repository = repositories.named(from);
		await repository.open();
		const restic = repository.restic();
		const point = await findPoint(restic, workshop.ownership(), wish);
		const {rehearsal, problems} = planDrill(target, point, await readManifest(restic, point));
		if (problems.length > 0) {
			throw new UsageError(`point \`${point.id}\` of \`${wish.target}\` cannot be rehearsed: ${problems.join('; ')}`);
		}

		return rehearsal;
	};

	const rehearse = async (request: DrillRequest, {run, startedAt, signal, tell}: RunContext): Promise<DrillResult> => {
		try {
			signal.throwIfAborted();
			tell({type: 'step', step: 'plan'});
			const {restic} = repositories.named(request.from ?? repositories.primary.name);
			return await drill({...workshop, restic}, {run, startedAt, rehearsal: await prepare(request), signal, tell});
		} catch (error) {
			const point = request.point === 'latest' ? '' : request.point;
			return failed.drill({run, target: request.target, startedAt}, point, error);
		}
	};

	return {
		async drill(request) {
			const {target, trigger} = request;
			// What a schedule asks for and cannot be is a failed run, which is seen; a person is told at once.
			const settled = trigger === 'schedule' ? request : {...request, point: (await prepare(request)).point.id};
			return runs.start({operation: 'drill', target, trigger, beside: true, work: async context => rehearse(settled, context)});
		},
	};
}
