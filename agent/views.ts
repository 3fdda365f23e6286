/** What the agent knows, in the shapes that people and programs read. */
import type {PointView, RunView, StatusView, TargetView} from './agent.ts';
import type {BackupResult, RunResult} from './events.ts';
import type {Point} from './points.ts';
import type {RunRecord} from './state.ts';
import type {Surveyed} from './survey.ts';

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

const isBackup = (result: RunResult | null): result is BackupResult => result !== null && 'quiesceSeconds' in result;

/** @param last the target's newest finished backup @param success its newest successful one */
export function statusView(
	surveyed: Surveyed,
	{
		running,
		last,
		success,
		next,
		suspicion,
	}: {
		suspicion?: string | undefined;
		running: string | undefined;
		last: RunRecord | undefined;
		success: RunRecord | undefined;
		next: Date | null;
	},
): StatusView {
	const result = last?.result ?? null;
	return {
		target: surveyed.target.name,
		running: running ?? null,
		lastRun:
			last === undefined || !isBackup(result)
				? null
				: {
						run: last.run,
						outcome: result.outcome,
						startedAt: result.startedAt,
						durationSeconds: result.durationSeconds,
						quiesceSeconds: result.quiesceSeconds,
						...(result.error === undefined ? {} : {error: result.error}),
					},
		lastSuccess: success?.finishedAt ? {run: success.run, at: new Date(success.finishedAt).toISOString()} : null,
		nextRun: surveyed.problems.length > 0 ? null : (next?.toISOString() ?? null),
		...(suspicion === undefined ? {} : {suspicion}),
		problems: [...surveyed.problems],
	};
}

export const pointView = ({id, target, time, sources}: Point): PointView => ({point: id, target, time: time.toISOString(), sources});
