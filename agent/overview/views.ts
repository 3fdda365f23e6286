/** What the agent knows, in the shapes that people and programs read. */

import {isLate} from '../../base/late.ts';
import {lackOf, lacksOnly, resultOf} from '../../base/results.ts';
import type {PointView} from '../../base/shapes/points.ts';
import type {RunView} from '../../base/shapes/runs.ts';
import type {StatusView, TargetView} from '../../base/shapes/targets.ts';
import type {Surveyed} from '../plan/planned.ts';
import {parseSource} from '../repository/names.ts';
import type {Ownership} from '../repository/owner.ts';
import type {Point} from '../repository/points.ts';
import {findKind} from '../sources/kinds.ts';
import type {RunRecord, State} from '../state/state.ts';

export function targetView({target, plan, problems}: Surveyed): TargetView {
	const actions = plan.quiesce.map(({action}) => action);
	return {
		target: target.name,
		container: target.members.map(({container}) => container.name).join(', '),
		state: target.members[0].container.state,
		sources: plan.sources.map(({name}) => name),
		quiesce: actions.includes('stop') ? 'stop' : actions.includes('pause') ? 'pause' : 'none',
		schedule: plan.schedule,
		problems: [...problems],
	};
}

export function runView({run, target, operation, trigger, state, outcome, queuedAt, startedAt, finishedAt, result}: RunRecord): RunView {
	const begun = startedAt ?? queuedAt;
	return {
		run,
		target,
		operation,
		trigger,
		state,
		outcome,
		startedAt: new Date(begun).toISOString(),
		durationSeconds: finishedAt === null ? null : (finishedAt - begun) / 1000,
		result,
	};
}

/** The runs of one operation on a target. */
interface Recent {
	last: RunRecord | undefined;
	success: RunRecord | undefined;
	next: Date | null;
}

/** @param last the target's newest finished run of the operation @param success its newest successful one */
export function statusView(
	surveyed: {target: Pick<Surveyed['target'], 'name'>; problems: Surveyed['problems']; plan?: Pick<Surveyed['plan'], 'absent'>},
	{
		running,
		waitsFor,
		newest,
		suspicion,
		former = [],
		nextCold,
		expected,
		rested,
		drills,
		...backups
	}: Recent & {
		running: string | undefined;
		waitsFor?: string | undefined;
		/** Of its points. */
		newest?: StatusView['newestPoint'] | undefined;
		suspicion?: string | undefined;
		/** Names that it had before. */
		former?: readonly string[] | undefined;
		nextCold?: Date | null | undefined;
		/** When it is expected; undefined where it is not. */
		expected?: {intervalSeconds: number; firstSeen: number} | undefined;
		/** When it was due last, and only what was stopped kept it from a success: milliseconds since 1970. */
		rested?: number | undefined;
		drills: Recent;
	},
): StatusView {
	const {last, success, next} = backups;
	const result = resultOf('backup', last);
	const since = Math.max(success?.finishedAt ?? expected?.firstSeen ?? Date.now(), rested ?? 0);
	const late = expected !== undefined && isLate(since, expected.intervalSeconds, Date.now());
	const absent = lackOf({absent: [...(surveyed.plan?.absent ?? [])]});
	return {
		target: surveyed.target.name,
		running: running ?? null,
		...(waitsFor && {waitsFor}),
		lastRun:
			last === undefined || result === null
				? null
				: {
						run: last.run,
						outcome: result.outcome,
						startedAt: result.startedAt,
						durationSeconds: result.durationSeconds,
						quiesceSeconds: result.quiesceSeconds,
						...(lacksOnly(result) ? {rested: true} : {}),
						...(result.error === undefined ? {} : {error: result.error}),
					},
		lastSuccess: success?.finishedAt ? {run: success.run, at: new Date(success.finishedAt).toISOString(), ...bytesOf(success)} : null,
		...(newest === undefined || success?.finishedAt ? {} : {newestPoint: newest}),
		nextRun: surveyed.problems.length > 0 ? null : (next?.toISOString() ?? null),
		...(nextCold && surveyed.problems.length === 0 ? {nextColdRun: nextCold.toISOString()} : {}),
		...(late ? {late: new Date(since).toISOString()} : {}),
		...(absent === undefined ? {} : {absent}),
		...(rested === undefined ? {} : {rested: new Date(rested).toISOString()}),
		...(suspicion === undefined ? {} : {suspicion}),
		...(former.length === 0 ? {} : {formerNames: [...former]}),
		...drillStatus(drills),
		problems: [...surveyed.problems],
	};
}

function bytesOf(success: RunRecord): {bytes?: number} {
	const result = resultOf('backup', success);
	return result === null ? {} : {bytes: result.sources.reduce((sum, {bytes}) => sum + bytes, 0)};
}

function drillStatus({last, success, next}: Recent): Pick<StatusView, 'lastDrill' | 'lastDrillSuccess' | 'nextDrill'> {
	const result = resultOf('drill', last);
	const proven = resultOf('drill', success);
	const at = success?.finishedAt;
	return {
		lastDrill: result
			? {
					run: result.run,
					outcome: result.outcome,
					point: result.point,
					startedAt: result.startedAt,
					durationSeconds: result.durationSeconds,
					...(result.error === undefined ? {} : {error: result.error}),
				}
			: null,
		lastDrillSuccess: proven && at ? {run: proven.run, point: proven.point, at: new Date(at).toISOString()} : null,
		nextDrill: next?.toISOString() ?? null,
	};
}

/** When a backup was due last of which only what was stopped kept it from a success: milliseconds since 1970. */
export function restedAt(state: Pick<State, 'runs' | 'restedAt'>, target: string): number | undefined {
	const partial = state
		.runs({target, operation: 'backup', outcome: 'partial', limit: 5})
		.map(record => resultOf('backup', record))
		.find(result => result !== null && lacksOnly(result));
	// As the metric of the last run has it: both are of one moment then.
	const ended = partial ? Date.parse(partial.startedAt) + partial.durationSeconds * 1000 : undefined;
	const times = [state.restedAt(target), ended].filter(time => time !== undefined);
	return times.length === 0 ? undefined : Math.max(...times);
}

/** By point: when a drill last restored it whole. */
export function verifiedPoints(state: Pick<State, 'runs'>, target?: string): ReadonlyMap<string, string> {
	const drills = state.runs({target, operation: 'drill', outcome: 'success', limit: 1000});
	return new Map(
		drills.toReversed().flatMap(record => {
			const result = resultOf('drill', record);
			return result && record.finishedAt ? [[result.point, new Date(record.finishedAt).toISOString()] as const] : [];
		}),
	);
}

const isDatabase = (source: string): boolean => findKind(parseSource(source).kind)?.isDatabase === true;

export const pointView = (
	{id, target, time, host, agent, sources, ...filed}: Point,
	{verified, ownership}: {verified: ReadonlyMap<string, string>; ownership: Ownership},
): PointView => ({
	point: id,
	target,
	...(filed.filedAs === target ? {} : {filedAs: filed.filedAs}),
	time: time.toISOString(),
	host,
	agent,
	own: ownership.isOurs({id, host, agent, time, target: filed.filedAs}),
	sources: sources.map(stored => (isDatabase(stored.source) ? {...stored, isDatabase: true} : stored)),
	verifiedAt: verified.get(id) ?? null,
});
