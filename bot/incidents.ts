/** What is wrong now, judged from what the agent remembers: so nothing is missed while the bot or Slack is away, and nothing is told twice. Pure. */

import {whyNever} from '../base/present.ts';
import {lackOf, type Operation, rollBackTrigger} from '../base/results.ts';
import type {RunView} from '../base/shapes/runs.ts';
import type {StatusView} from '../base/shapes/targets.ts';
import {type Message, message, section} from './blocks.ts';
import {markOf} from './messages/lists.ts';
import {failureText} from './messages/run.ts';
import {code, date} from './text.ts';

export interface Incident {
	/** The same as long as it is the same trouble. */
	key: string;
	/** As its agent names it. */
	target: string;
	what: string;
	/** Changes when there is news. */
	version: string;
	since: string;
	run?: RunView | undefined;
	text: string;
}

/** Whether an open one ended, or only nothing is known of it. */
export interface Judged {
	incidents: Incident[];
	/** Keys that are known to be well again. */
	well: Set<string>;
}

/** A restore that failed may have left data half replaced: nothing is worse, and nobody may miss it. */
const watched: ReadonlySet<Operation> = new Set(['backup', 'restore', 'drill', 'check', 'copy', 'prune', 'import']);

/** Of each target and operation the newest finished run counts. One that was asked for in Slack has its own message: it opens nothing. */
export function judgeRuns(runs: readonly RunView[]): Judged {
	const incidents: Incident[] = [];
	const well = new Set<string>();
	const seen = new Set<string>();
	for (const run of runs) {
		const key = `${run.operation} ${run.target}`;
		const isRolledBack = run.trigger === rollBackTrigger && run.outcome === 'success';
		if (run.state !== 'finished' || !watched.has(run.operation) || isRolledBack || seen.has(key)) {
			continue;
		}

		seen.add(key);
		const resting = run.result !== null && 'absent' in run.result && run.result.error === undefined ? lackOf(run.result) : undefined;
		if (run.outcome === 'success') {
			well.add(key);
		} else if (!run.trigger.startsWith('slack:')) {
			incidents.push({
				key,
				target: run.target,
				what: run.operation,
				// What rests is told once, and not with each point that is without it.
				version: resting ?? run.run,
				since: run.startedAt,
				run,
				text: run.result?.error ?? resting ?? 'it does not say why',
			});
		}
	}

	return {incidents, well};
}

/** Late, though nothing failed: what should run does not, or does not end. What hangs, or waits for its turn, is as late as what never began. */
export function judgeLate(status: readonly StatusView[]): Judged {
	const incidents: Incident[] = [];
	const well = new Set<string>();
	for (const {target, lastSuccess, newestPoint, late, running} of status) {
		const key = `stale ${target}`;
		if (late === undefined) {
			well.add(key);
		} else {
			const under = running === null ? '' : `; run ${running} has not ended`;
			incidents.push({
				key,
				target,
				what: 'stale',
				version: late,
				since: late,
				text: `${lastSuccess === null ? whyNever(newestPoint) : 'its last good backup is older than its schedule allows'}${under}`,
			});
		}
	}

	return {incidents, well};
}

/** What was backed up and is not found any more, and what is much smaller than before. */
export function judgeTargets(status: readonly StatusView[]): Judged {
	const incidents: Incident[] = [];
	const well = new Set<string>();
	for (const {target, goneSince, suspicion, problems, lastRun} of status) {
		const found = [
			{what: 'gone', since: goneSince, version: goneSince, text: problems.map(({message}) => message).join('; ')},
			{
				what: 'shrunk',
				since: suspicion === undefined ? undefined : (lastRun?.startedAt ?? new Date(0).toISOString()),
				// The same every night, for other points.
				version: suspicion?.split(' ')[0],
				text: suspicion ?? '',
			},
		];
		for (const {what, since, version, text} of found) {
			const key = `${what} ${target}`;
			if (since === undefined || version === undefined) {
				well.add(key);
			} else {
				incidents.push({key, target, what, since, version, text});
			}
		}
	}

	return {incidents, well};
}

const newsOf: Readonly<Record<string, string>> = {gone: 'is not found any more', shrunk: 'is much smaller than before'};

export const incidentMessage = ({what, since, run, text}: Incident, label: string): Message =>
	newsOf[what] !== undefined
		? message(`🟠 ${code(label)} ${newsOf[what]}`, [section(`🟠 ${code(label)} *${newsOf[what]}*, since ${date(since)}\n${code(text)}`)])
		: what === 'stale'
			? message(`🟠 ${code(label)} is late`, [section(`🟠 ${code(label)} is *late*, since ${date(since)}\n${code(text)}`)])
			: message(`❌ ${what} of ${code(label)} ${run?.outcome ?? 'failed'}`, [
					section(
						`${markOf(run?.outcome ?? 'failed')} *${what}* of ${code(label)}, ${run === undefined ? '' : `run ${code(run.run)} of ${date(run.startedAt)}`}\n${failureText(
							{label, step: what},
							{outcome: run?.outcome ?? 'failed', error: text},
						)}`,
					),
				]);

export const resolvedMessage = (what: string, label: string, now: number): Message =>
	message(`✅ ${what} of ${code(label)} is well again`, [section(`✅ *${what}* of ${code(label)} is well again, ${date(now)}`)]);
