/** Results of runs, for people. */
import type {BackupResult, CheckResult, CopyResult, DoneBy, DrillResult, Finished, PruneResult, RestoreResult} from '../../base/results.ts';
import {repositoryOfTarget} from '../../base/results.ts';
import {duration, size} from '../../base/units.ts';
import {undoOrFinish} from '../../base/ways-out.ts';
import type {Output} from './output.ts';
import {styleOfOutcome} from './progress.ts';
import {styled} from './text.ts';

export function printResult(out: Output, err: Output, {operation, result}: Finished, settles?: 'undo' | 'finish'): void {
	switch (operation) {
		case 'backup':
		case 'import':
			printBackups(out, err, [result]);
			break;
		case 'drill':
			printDrill(out, err, result);
			break;
		case 'copy':
			printCopies(out, err, [result]);
			break;
		case 'prune':
			printPrune(out, err, result);
			break;
		case 'check':
			printCheck(out, err, result);
			break;
		case 'restore':
			printRestore(out, err, result, settles);
			break;
	}
}

export function printDrill(out: Output, err: Output, {target, point, outcome, durationSeconds, sources, error}: DrillResult): void {
	out.line`${target}: drill of point ${point || '-'}: ${styled(styleOfOutcome[outcome], outcome)} in ${duration(durationSeconds)}`;
	for (const source of sources) {
		out.line`  ${source.source}: ${source.checks.join('; ') || styled(styleOfOutcome[source.outcome], source.outcome)}`;
	}

	if (error !== undefined) {
		err.line`${target}: ${styled(styleOfOutcome[outcome], outcome)}: ${error}`;
	}
}

export function printBackups(out: Output, err: Output, results: readonly BackupResult[]): void {
	out.table(
		[
			{title: 'TARGET', wrap: 24},
			{title: 'OUTCOME'},
			{title: 'POINT'},
			{title: 'TOOK', align: 'right'},
			{title: 'OUTAGE', align: 'right'},
			{title: 'SIZE', align: 'right'},
			{title: 'ADDED', align: 'right'},
		],
		results.map(({target, outcome, point, durationSeconds, quiesceSeconds, sources}) => [
			target,
			styled(styleOfOutcome[outcome], outcome),
			point ?? '-',
			duration(durationSeconds),
			duration(quiesceSeconds),
			size(sources.reduce((sum, {bytes}) => sum + bytes, 0)),
			size(sources.reduce((sum, {addedBytes}) => sum + addedBytes, 0)),
		]),
	);
	for (const {target, outcome, sources, error} of results) {
		for (const source of sources.filter(({error}) => error !== undefined)) {
			err.line`${target}: ${source.source}: ${styled('red', source.outcome)}: ${source.error ?? ''}`;
		}

		const rest = withoutSources(error ?? '', sources);
		if (rest !== '') {
			err.line`${target}: ${styled(styleOfOutcome[outcome], outcome)}: ${rest}`;
		}
	}
}

/** What is wrong beside what is said of each source. */
const withoutSources = (error: string, sources: BackupResult['sources']): string =>
	sources
		.reduce((text, {source, error: told}) => (told === undefined ? text : text.replace(`${source}: ${told}`, '')), error)
		.split('; ')
		.filter(Boolean)
		.join('; ');

export function printCopies(out: Output, err: Output, results: readonly CopyResult[]): void {
	out.table(
		[
			{title: 'COPY', wrap: 24},
			{title: 'OUTCOME'},
			{title: 'COPIED', align: 'right'},
			{title: 'REMOVED', align: 'right'},
			{title: 'POINTS', align: 'right'},
			{title: 'TOOK', align: 'right'},
		],
		results.map(({target, outcome, copied, removed, points, durationSeconds}) => [
			repositoryOfTarget(target),
			styled(styleOfOutcome[outcome], outcome),
			String(copied),
			String(removed),
			points === null ? '-' : String(points),
			duration(durationSeconds),
		]),
	);
	for (const {target, outcome, error} of results.filter(result => result.error !== undefined)) {
		err.line`${repositoryOfTarget(target)}: ${styled(styleOfOutcome[outcome], outcome)}: ${error ?? ''}`;
	}
}

function printRestore(out: Output, err: Output, result: RestoreResult, settles?: 'undo' | 'finish'): void {
	const {run, target, point, outcome, replaced, into, tolerated = [], outageSeconds, error} = result;
	const done = settles === undefined ? `restore of point ${point}` : `${settles} of the restore of point ${point}`;
	out.line`${target}: ${done}: ${styled(styleOfOutcome[outcome], outcome)}, outage ${duration(outageSeconds)}`;
	for (const kept of replaced) {
		out.line`  replaced, and kept: ${kept}`;
	}

	if (replaced.length > 0) {
		out.line`  ${undoOrFinish(run, 'to put it back', 'to let it go')}`;
	}

	if (into !== undefined) {
		out.line`  made: database ${into}`;
	}

	for (const {source, what, count} of tolerated) {
		out.line`  tolerated in ${source}, ${count} times: ${what}`;
	}

	if (error !== undefined) {
		err.line`${target}: ${styled(styleOfOutcome[outcome], outcome)}: ${error}`;
	}
}

function printPrune(out: Output, err: Output, {target, outcome, durationSeconds, removed, held, bytes, doneBy, error}: PruneResult): void {
	out.line`${target}: prune: ${styled(styleOfOutcome[outcome], outcome)} in ${duration(durationSeconds)}, ${removed.length === 1 ? 'one point' : `${removed.length} points`} removed${bytes === null ? '' : `, ${size(bytes)} left`}${elsewhere(doneBy)}`;
	for (const {target: name, point} of removed) {
		out.line`  removed ${point} of ${name}`;
	}

	for (const {target: name, reason} of held) {
		err.line`${name}: ${styled('yellow', 'nothing is removed')}: ${reason}`;
	}

	if (error !== undefined) {
		err.line`${target}: ${styled(styleOfOutcome[outcome], outcome)}: ${error}`;
	}
}

const elsewhere = (by: DoneBy | undefined): string => (by === undefined ? '' : `; done by agent ${by.agent} on ${by.host} at ${by.at}`);

function printCheck(out: Output, err: Output, {target, outcome, durationSeconds, readData, doneBy, error}: CheckResult): void {
	const read = readData === null ? 'no data was read' : `data read: ${readData}`;
	out.line`${target}: check: ${styled(styleOfOutcome[outcome], outcome)} in ${duration(durationSeconds)}, ${read}${elsewhere(doneBy)}`;
	if (error !== undefined) {
		err.line`${target}: ${styled(styleOfOutcome[outcome], outcome)}: ${error}`;
	}
}
