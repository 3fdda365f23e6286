/** A SQLite database is restored to a file of its own, and checked as in a restore. */
import {succeed} from '../../../base/command.ts';
import {parseSource} from '../../repository/names.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import {checkFile} from './restore.ts';
import {describeUnchecked} from './unchecked.ts';

export function sqliteDrilling({name, stored}: DrillSource, context: DrillContext, index: number): Drilling {
	const {worker, staging, signal, tell} = context;
	const file = `${staging}/drill-${index}.sqlite`;

	return {
		name,
		async rehearse() {
			await assertRoom(worker, staging, stored.bytes, signal);
			try {
				await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
				tell({type: 'step', step: 'check', subject: name});
				const untested = await checkFile(worker, parseSource(name).name, {file, details: stored.details}, signal);
				const soundness = untested.length === 0 ? 'integrity_check says ok' : describeUnchecked(untested);
				return [soundness, `${stored.details.tables} tables`];
			} finally {
				await succeed(worker, {argv: ['rm', '-f', '--', file]});
			}
		},
	};
}
