/** Answers that only list something. */

import type {PointView} from '../../base/shapes/points.ts';
import type {RunView} from '../../base/shapes/runs.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {duration, size, when} from '../../base/units.ts';
import {buttons, context, header, type Message, message, section} from '../blocks.ts';
import {code, codeBlock, date, person} from '../text.ts';
import type {Sign} from './overview.ts';

const mostPoints = 20;

interface PointsOf {
	host: string;
	target: string;
	label: string;
	points: readonly PointView[];
	now: number;
	sign: Sign;
	mayRestore: boolean;
}

export function pointsMessage({host, target, label, points, now, sign, mayRestore}: PointsOf): Message {
	const choose = mayRestore ? buttons([{verb: 'choose', text: 'Restore…', value: sign({verb: 'choose', host, target})}]) : [];
	return message('Restore points', [
		section(`*Restore points of* ${code(label)}, newest first`),
		...(points.length === 0 ? [section('There is none yet.')] : points.slice(0, mostPoints).map(point => section(pointLine(point, now)))),
		...(points.length > mostPoints ? [context(`… and ${points.length - mostPoints} older ones`)] : []),
		...(points.length === 0 ? [] : choose),
	]);
}

export const sizeOf = ({sources}: Pick<PointView, 'sources'>): number => sources.reduce((sum, {bytes}) => sum + bytes, 0);

/** By a drill. */
export const verifiedText = ({verifiedAt}: Pick<PointView, 'verifiedAt'>): string => (verifiedAt === null ? 'not verified' : 'verified');

const pointLine = (point: PointView, now: number): string =>
	`${date(point.time)} (${when(point.time, now)}) · ${size(sizeOf(point))} · ${verifiedText(point)} · ${code(point.point)}\n${point.sources
		.slice(0, 8)
		.map(({source}) => code(source, 100))
		.join(' ')}${point.sources.length > 8 ? ` and ${point.sources.length - 8} more` : ''}`;

const marks = {success: '✅', partial: '🟡', failed: '❌'} as const;

export const markOf = (outcome: RunView['outcome']): string => (outcome === null ? '⏳' : marks[outcome]);

/** `slack:U1` as a person. */
export const asker = (trigger: string): string =>
	trigger.startsWith('slack:') ? person(trigger.slice(6)) : trigger === 'schedule' ? 'the schedule' : code(trigger);

const runLine = ({run, outcome, operation, startedAt, durationSeconds, trigger, state}: RunView, label: string): string =>
	`${markOf(outcome)} ${operation} of ${code(label)} · ${date(startedAt)}${durationSeconds === null ? ` · ${state}` : ` · ${duration(durationSeconds)}`} · ${asker(trigger)} · ${code(run)}`;

/** @param about `troubles`: hosts that could not be asked, and why */
export const historyMessage = (
	runs: ReadonlyArray<{label: string; view: RunView}>,
	{title, troubles}: {title: string; troubles: readonly string[]},
): Message =>
	message('History', [
		...troubles.map(trouble => section(`⚠️ ${code(trouble, 500)}`)),
		section(`*History*${title === '' ? '' : ` of ${code(title)}`}, newest first`),
		...(runs.length === 0 ? [section('There is no run yet.')] : chunked(runs.map(({label, view}) => runLine(view, label)))),
	]);

/** Several lines a section, so that many fit. */
function chunked(lines: readonly string[]) {
	const sections: string[] = [];
	for (const line of lines) {
		const last = sections.at(-1);
		if (last !== undefined && last.length + line.length < 2900) {
			sections[sections.length - 1] = `${last}\n${line}`;
		} else {
			sections.push(line);
		}
	}

	return sections.map(section);
}

const levels = {ok: '🟢', warning: '🟡', error: '🔴'} as const;

export const doctorMessage = (hosts: ReadonlyArray<{host: string; findings: readonly Finding[]}>): Message =>
	message('Doctor', [
		header('Doctor'),
		...hosts.flatMap(({host, findings}) => [
			...(hosts.length === 1 ? [] : [section(`*Host* ${code(host)}`)]),
			...chunked(
				findings.map(
					({level, subject, message: text, hint}) => `${levels[level]} ${code(subject)} ${code(text + (hint ? ` (${hint})` : ''), 700)}`,
				),
			),
		]),
	]);

/** One line for a person who asked for something. */
export const notice = (mark: string, text: string): Message => message(`${mark} ${text}`, [section(`${mark} ${text}`)]);

export const failure = (what: string, error: string): Message => message(`❌ ${what}`, [section(`❌ ${what}\n${codeBlock(error)}`)]);

export const helpMessage = (): Message =>
	message('Holdfast in Slack', [
		header('Holdfast'),
		section(
			[
				'`/backup` the state of every target, with buttons',
				'`/backup now TARGET`, `/backup now all` back up',
				'`/backup points TARGET` restore points',
				'`/backup history [TARGET]` what was done',
				'`/backup drill TARGET` rehearse a restore into scratch',
				'`/backup check` verify the repositories',
				'`/backup export TARGET` how to get a portable archive',
				'`/backup cancel RUN` stop a run; what it holds still is put back',
				'`/backup doctor` what is unprotected or misconfigured',
				'`/restore [TARGET] [POINT]` restore, with all questions asked',
				'`/restore undo RUN` put back what a restore replaced',
				'`/restore finish RUN` let go of it',
			].join('\n'),
		),
		context(
			'Seeing needs the role viewer; backups, drills and checks operator; all about restores restorer. Every press is checked and written to the audit log.',
		),
	]);
