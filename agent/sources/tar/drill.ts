/** An archive is read to its end, and every entry is one that a restore would take. */
import {succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {parseSource} from '../../repository/names.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import {checkArchive} from './restore.ts';

export function tarDrilling({name, stored}: DrillSource, context: DrillContext, index: number): Drilling {
	const {worker, staging, signal, tell} = context;
	const file = `${staging}/drill-${index}.tar`;

	return {
		name,
		async rehearse() {
			await assertRoom(worker, staging, stored.bytes, signal);
			try {
				await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
				tell({type: 'step', step: 'check', subject: name});
				await checkArchive(worker, {file, path: parseSource(name).name, signal});
				// tar counts as it did when it was stored.
				const entries = Number(await succeed(worker, {argv: ['sh', '-c', 'tar -tf "$1" | wc -l', 'sh', file], signal}));
				if (entries !== stored.details.entries) {
					throw new RunError(`it had ${String(stored.details.entries)} entries, and ${entries} can be read`);
				}

				return [`${entries} entries, read to the end of the archive`];
			} finally {
				await succeed(worker, {argv: ['rm', '-f', '--', file]});
			}
		},
	};
}
