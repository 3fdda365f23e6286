/** A dump is rehearsed in a file of its own, which goes when it is known what is in it. */
import {succeed} from '../../base/command.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from './drilling.ts';
import {dumpToFile} from './feed.ts';

/** @param check of what lies in the file: what is said of it */
export function fileDrilling(
	{name, stored}: DrillSource,
	context: DrillContext,
	{file: base, check}: {file: string; check: (file: string) => Promise<string[]>},
): Drilling {
	const {worker, staging, signal, tell} = context;
	const file = `${staging}/${base}`;
	return {
		name,
		async rehearse() {
			await assertRoom(worker, staging, stored.bytes, signal);
			try {
				await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
				tell({type: 'step', step: 'check', subject: name});
				return await check(file);
			} finally {
				await succeed(worker, {argv: ['rm', '-f', '--', file]});
			}
		},
	};
}
