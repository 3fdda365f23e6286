/** The targets that are not as they should be, as far as their backups go. Pure. */
import {whyNever} from '../../base/present.ts';
import type {StatusView} from '../../base/shapes/targets.ts';

/** What another agent serves, or has moved to it, is that one's; what rests was told when it began to. */
export const unwellAmong = (status: readonly StatusView[]): Array<{target: string; why: string}> =>
	status.flatMap(each => {
		const why = each.servedBy === undefined && each.movedTo === undefined ? whyUnwell(each) : undefined;
		return why === undefined ? [] : [{target: each.target, why}];
	});

function whyUnwell({problems, goneSince, late, lastRun, lastSuccess, newestPoint}: StatusView): string | undefined {
	const [problem] = problems;
	if (problem !== undefined) {
		return goneSince === undefined ? `it is not backed up: ${problem.message}` : problem.message;
	}

	if (lastRun !== null && lastRun.outcome !== 'success' && lastRun.rested !== true) {
		return `the last backup ${lastRun.outcome === 'failed' ? 'failed' : 'was only partial'}: ${lastRun.error ?? 'see the run'}`;
	}

	return late === undefined ? undefined : lastSuccess === null ? whyNever(newestPoint) : `the last good backup is of ${lastSuccess.at}`;
}
