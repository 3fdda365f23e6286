/** Which restore points of a target go, and why the others stay. Pure: everything that it must know is given to it. */

import type {Keep} from '../../base/reading/keep.ts';
import type {Outcome} from '../../base/results.ts';
import type {Point} from '../repository/points.ts';
import {applyPolicy, describeReason, longestMs, type Reason} from './policy.ts';
import {type Shrunken, shrunken} from './shrink.ts';

/** What a person gave: how many points stay, and what makes a run suspicious. */
export interface RetentionPolicy {
	/** Undefined: all are kept. */
	keep: Keep | undefined;
	timeZone: string;
	/** The share of its size that a source may lose from one point to the next: 0.5 is half. */
	shrinkLimit: number;
}

/** What is known of a target beside its points. */
export interface Knowledge {
	/** Milliseconds since 1970. */
	now: number;
	/** Of its newest finished backup run. Undefined: this agent knows of none. */
	lastOutcome: Outcome | undefined;
	/** Why its policy cannot be trusted now: its labels have mistakes, it is not found. */
	doubt?: string | undefined;
	/** Points, by their ids, that somebody needs, and what for. */
	needed: ReadonlyMap<string, string>;
	/** Up to this moment a person has accepted the sizes of the points. */
	accepted?: Date | undefined;
}

export interface Verdict {
	point: Point;
	action: 'keep' | 'remove';
	/** For people: the rules that keep it; or that none does. */
	why: string[];
}

export interface Retention {
	target: string;
	/** As the label has it; null: everything is kept. */
	keep: string | null;
	/** Why nothing is removed for now, although the policy may want it. */
	held: string | null;
	/** Newest first. */
	points: Verdict[];
}

/** @param points all of the target, newest first */
export function decide(target: string, points: readonly Point[], policy: RetentionPolicy, knowledge: Knowledge): Retention {
	const {keep} = policy;
	if (keep === undefined) {
		const verdicts = points.map((point): Verdict => ({point, action: 'keep', why: ['no policy: everything is kept']}));
		return {target, keep: null, held: null, points: verdicts};
	}

	const byPolicy = applyPolicy(points, keep, {timeZone: policy.timeZone, now: knowledge.now});
	const held = holdOf(target, points, byPolicy, policy, knowledge);
	const newest = byPolicy.findIndex(reasons => !reasons.includes('ahead'));
	const verdicts = points.map((point, index): Verdict => {
		const need = knowledge.needed.get(point.id);
		const rules = (byPolicy[index] ?? []).map(reason => describeReason(reason, keep));
		const why = [...rules, ...(need === undefined ? [] : [need]), ...(index === newest ? ['the newest'] : [])];
		if (why.length > 0) {
			return {point, action: 'keep', why};
		}

		return held === null ? {point, action: 'remove', why: ['no rule keeps it']} : {point, action: 'keep', why: ['held']};
	});
	return {target, keep: formatKeep(keep), held, points: verdicts};
}

/** The first of all that forbids to remove anything of the target. */
function holdOf(
	target: string,
	points: readonly Point[],
	byPolicy: readonly Reason[][],
	{shrinkLimit, keep}: RetentionPolicy,
	{lastOutcome, doubt, accepted}: Knowledge,
): string | null {
	if (doubt !== undefined) {
		return doubt;
	}

	if (lastOutcome !== 'success') {
		return lastOutcome === undefined ? 'no run of it is known to this agent yet' : `its last run ended as ${lastOutcome}`;
	}

	const ruled = byPolicy.filter(reasons => !reasons.includes('ahead'));
	if (ruled.length > 0 && ruled.every(reasons => reasons.length === 0)) {
		return 'its policy would remove every point: refused';
	}

	const gap = keep?.within === undefined ? null : afterGap(points.slice(points.length - ruled.length), ruled, longestMs(keep.within));
	if (gap !== null) {
		return gap;
	}

	const [suspicious] = shrunken(points, {limit: shrinkLimit, accepted});
	return suspicious === undefined ? null : describeShrunken(target, suspicious);
}

/** So many new ones outweigh those before a gap. */
const enough = 3;

/** How many gaps before are looked at: where points are always that far apart, it is none. */
const mostGaps = 10;

/**
 * `within` counts from the newest: after a time without backups, or with a clock that has jumped ahead, one new point would be the end of all those before.
 * @param points newest first
 */
function afterGap(points: readonly Point[], byPolicy: readonly Reason[][], periodMs: number): string | null {
	const first = byPolicy.findIndex(reasons => !reasons.includes('within'));
	if (first < 1 || first >= enough || byPolicy.slice(first).every(reasons => reasons.length > 0)) {
		return null;
	}

	const times = points.map(({time}) => time.getTime());
	const gapBefore = (index: number): number => (times[index - 1] ?? 0) - (times[index] ?? 0);
	const gapMs = gapBefore(first);
	const others = points.slice(first + 1, first + 1 + mostGaps).map((_, index) => gapBefore(first + 1 + index));
	return gapMs <= periodMs || others.some(other => 2 * other >= gapMs)
		? null
		: `it had no point for ${Math.floor(gapMs / 86_400_000)} days, and has ${first === 1 ? 'one' : first} since: those before stay until there are ${enough}`;
}

export const describeShrunken = (target: string, {point, source, bytes, before}: Shrunken): string =>
	`${source} has ${bytes} bytes in point ${point.id}, and had ${before} before: if nothing is lost, say so with \`holdfast prune --accept ${target}\``;

/** As in a label. */
const formatKeep = (keep: Keep): string =>
	Object.entries(keep)
		.map(([rule, amount]) => `${rule}=${amount}`)
		.join(',');
