/** What a target is at present, in one word for every list of targets. */
import type {StatusView} from './shapes/targets.ts';
import {when} from './units.ts';

/** When its newest good point was made; undefined: there is none. Pure. */
export function newestPointOf(
	{lastSuccess, newestPoint}: Pick<StatusView, 'lastSuccess' | 'newestPoint'>,
	now: number,
): string | undefined {
	return lastSuccess === null
		? newestPoint && `${when(newestPoint.at, now)}${newestPoint.adopted ? ', adopted' : ''}`
		: when(lastSuccess.at, now);
}

/** Of a target of which this agent has made no good point. Pure. */
export const whyNever = (newestPoint: StatusView['newestPoint'] | undefined): string =>
	newestPoint === undefined ? 'it was never backed up' : `its newest point is of ${newestPoint.at}, and none was made here since`;

export interface Present {
	text: string;
	/** Somebody should look at it. */
	isWrong: boolean;
}

/**
 * Of all that could be said, what matters most; undefined where nothing is to be said. Pure.
 * @param now milliseconds since 1970
 * @param problems how a list says that a target has some; without it, they are said elsewhere
 */
export function presentOf(
	{goneSince, problems: found, running, waitsFor, movedTo, servedBy}: StatusView,
	{now, problems}: {now: number; problems?: string},
): Present | undefined {
	if (goneSince !== undefined) {
		return {text: `gone ${when(goneSince, now)}`, isWrong: true};
	}

	if (problems !== undefined && found.length > 0) {
		return {text: problems, isWrong: true};
	}

	if (running !== null) {
		return {text: `run ${running}${waitsFor === undefined ? '' : `, waits for ${waitsFor}`}`, isWrong: false};
	}

	if (movedTo !== undefined) {
		return {text: movedTo.as === undefined ? `moved to host ${movedTo.host}` : `backed up as ${movedTo.as}`, isWrong: false};
	}

	return servedBy === undefined ? undefined : {text: `served by ${servedBy}`, isWrong: false};
}
