/** A drill: every source of a point is restored into scratch and checked, and the scratch is thrown away. */

import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import type {DrilledSource, DrillResult} from '../../base/results.ts';
import type {Workforce} from '../../docker/worker.ts';
import {withWorkers} from '../runs/shell.ts';
import {sourceContext} from '../runs/source-context.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {DrillContext} from '../sources/drilling.ts';
import {into} from '../sources/feed.ts';
import {kindOf} from '../sources/kinds.ts';
import {describeTolerated} from '../sources/restoring.ts';
import type {Rehearsal} from './plan.ts';

export interface DrillRun {
	run: string;
	startedAt: Date;
	rehearsal: Rehearsal;
	signal: AbortSignal;
	tell: Tell;
}

/** Never rejects: whatever happens is the outcome. */
export async function drill(workshop: Workshop, options: DrillRun): Promise<DrillResult> {
	const {run, startedAt, rehearsal} = options;
	const sources: DrilledSource[] = [];
	const failures = await withWorkers(workshop, options, async workforce => rehearseAll(workshop, options, workforce, sources));
	const errors = failures.map(explain);

	errors.push(...sources.flatMap(({source, error}) => (error === undefined ? [] : [`${source}: ${error}`])));
	const isWhole = sources.length > 0 && sources.length === rehearsal.sources.length && errors.length === 0;
	return {
		run,
		target: rehearsal.target,
		point: rehearsal.point.id,
		outcome: isWhole ? 'success' : 'failed',
		startedAt: startedAt.toISOString(),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		sources,
		...(errors.length === 0 ? {} : {error: errors.join('; ')}),
	};
}

/** In turn, so that the host bears the scratch of one source at a time. One that fails does not keep the others. */
async function rehearseAll(workshop: Workshop, options: DrillRun, workforce: Workforce, results: DrilledSource[]): Promise<void> {
	const {rehearsal, signal, tell} = options;
	const context = await contextOf(workshop, options, workforce);
	for (const [index, source] of rehearsal.sources.entries()) {
		signal.throwIfAborted();
		tell({type: 'step', step: 'load', subject: source.name});
		results.push(await rehearse(source.name, async () => kindOf(source.stored.kind).drill(source, context, index).rehearse(), signal));
	}
}

async function rehearse(source: string, rehearsal: () => Promise<string[]>, signal: AbortSignal): Promise<DrilledSource> {
	const begun = performance.now();
	const durationSeconds = () => (performance.now() - begun) / 1000;
	try {
		const checks = await rehearsal();
		return {source, outcome: 'success', checks, durationSeconds: durationSeconds()};
	} catch (error) {
		signal.throwIfAborted();
		return {source, outcome: 'failed', checks: [], durationSeconds: durationSeconds(), error: explain(error)};
	}
}

async function contextOf(
	workshop: Workshop,
	{run, rehearsal, startedAt, signal, tell}: DrillRun,
	workforce: Workforce,
): Promise<DrillContext> {
	const worker = await workforce.repository([], 'write');
	const options = {cached: false, onTrouble: warner(tell)};
	const restic = workshop.restic(worker.run, options);
	const things = new Map<string, Promise<unknown>>();
	return {
		...sourceContext(workshop, workforce, worker, {run, target: rehearsal.target, restic, time: () => startedAt, signal, tell}),
		scratch: workforce.scratch,
		async shared<Thing>(name: string, make: () => Promise<Thing>) {
			const thing = (things.get(name) as Promise<Thing> | undefined) ?? make();
			things.set(name, thing);
			return thing;
		},
		unshare(name) {
			things.delete(name);
		},
		resticInto: file => workshop.restic(into(worker.run, file), options),
		// Nothing is overwritten.
		keeper: {restic: workshop.restic(worker.run), resticInto: file => workshop.restic(into(worker.run, file))},
		// Nothing of the target is replaced, and all that is made goes with the workers.
		remember() {},
		tolerate(tolerated) {
			tell({type: 'warning', message: describeTolerated(tolerated)});
		},
	};
}
