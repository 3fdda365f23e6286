/** A SQLite database is restored to a file of its own, and checked as in a restore. */
import {succeed} from '../../../base/command.ts';
import {parseSource} from '../../repository/names.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import {files} from './restore.ts';

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
				await files(worker, parseSource(name).name, ['check', file, String(stored.details.tables)], signal);
				return ['integrity_check says ok', `${stored.details.tables} tables`];
			} finally {
				await succeed(worker, {argv: ['rm', '-f', '--', file]});
			}
		},
	};
}
