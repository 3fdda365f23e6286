/** How a target is, and what a person should do about it. Pure. */
import {whyNever} from '../../../base/present.ts';
import type {Overview, TargetOverview} from '../../../base/shapes/targets.ts';

export type Standing = 'protected' | 'late' | 'failed' | 'partial' | 'never' | 'broken';

export interface Attention {
	subject: string;
	message: string;
	/** What to do. */
	hint?: string | undefined;
}

export function standingOf({view, status}: TargetOverview): Standing {
	if (view.problems.length > 0) {
		return 'broken';
	}

	if (status.lastRun !== null && status.lastRun.outcome !== 'success') {
		return status.lastRun.outcome;
	}

	if (status.late !== undefined) {
		return 'late';
	}

	return status.lastSuccess === null ? 'never' : 'protected';
}

export const standingWords: Record<Standing, string> = {
	protected: 'Protected',
	late: 'Late',
	failed: 'Failed',
	partial: 'Partial',
	never: 'Not backed up yet',
	broken: 'Labels have mistakes',
};

/** What is wrong with the targets. */
export const attentionTo = ({targets, unprotected, gone, others, kitKept}: Overview): Attention[] => [
	...gone.map(({target: subject, message, hint}) => ({subject, message, hint})),
	...targets.flatMap(target => [
		...attentionToBackups(target),
		...attentionToAbsence(target),
		...attentionToSize(target),
		...attentionToDrill(target),
	]),
	...(unprotected.length === 0
		? []
		: [
				{
					subject: unprotected.length === 1 ? 'Data in no backup' : `${unprotected.length} places with data in no backup`,
					message: 'listed below',
					hint: 'holdfast doctor',
				},
			]),
	...(kitKept === null
		? [
				{
					subject: 'Recovery kit',
					message: 'nobody has said that what opens the repositories is kept elsewhere',
					hint: 'holdfast kit',
				},
			]
		: []),
	...others.flatMap(({finding: {level, subject, message, hint}}) => (level === 'ok' ? [] : [{subject, message, hint}])),
];

function attentionToAbsence({view, status: {target, absent}}: TargetOverview): Attention[] {
	return absent === undefined || view.problems.length > 0
		? []
		: [{subject: target, message: `it is backed up ${absent}`, hint: 'holdfast doctor'}];
}

function attentionToSize({status: {target, suspicion}}: TargetOverview): Attention[] {
	return suspicion === undefined
		? []
		: [
				{
					subject: target,
					message: `no old point is removed until somebody has looked: ${suspicion}`,
					hint: `holdfast prune --accept ${target}`,
				},
			];
}

function attentionToDrill({status: {target, lastDrill}}: TargetOverview): Attention[] {
	return lastDrill === null || lastDrill.outcome === 'success'
		? []
		: [
				{
					subject: target,
					message: `the last drill failed${lastDrill.error === undefined ? '' : `: ${lastDrill.error}`}`,
					hint: `holdfast runs ${lastDrill.run}`,
				},
			];
}

function attentionToBackups(target: TargetOverview): Attention[] {
	const {view, status} = target;
	const subject = view.target;
	switch (standingOf(target)) {
		case 'broken':
			return view.problems.map(({message, hint}) => ({subject, message, hint}));
		case 'failed':
		case 'partial':
			if (status.lastRun?.rested === true) {
				return [];
			}

			return [
				{
					subject,
					message: `the last backup ${status.lastRun?.outcome === 'partial' ? 'was only partial' : 'failed'}: ${status.lastRun?.error ?? 'see the run'}`,
					hint: `holdfast runs ${status.lastRun?.run ?? ''}`,
				},
			];
		case 'late':
			return [
				{
					subject,
					message: status.lastSuccess === null ? whyNever(status.newestPoint) : 'the last success is older than the schedule allows',
					hint: `holdfast backup ${subject}`,
				},
			];
		default:
			return [];
	}
}
