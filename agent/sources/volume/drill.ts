/** Files are restored whole: restic reads every pack that they need, writes them, reads them again and compares the hashes. */
import {dirname} from 'node:path/posix';
import * as z from 'zod';
import {succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {heldBytes} from '../room.ts';

const details = z.object({files: z.number()});

export function volumeDrilling({name, stored}: DrillSource, context: DrillContext, index: number): Drilling {
	const {worker, restic, staging, signal, tell} = context;
	const folder = `${staging}/drill-${index}`;
	const count = async (...test: string[]) =>
		(await succeed(worker, {argv: ['sh', '-c', 'find "$@" -printf . | wc -c', 'sh', folder, '-mindepth', '1', ...test], signal})).trim();

	return {
		name,
		async rehearse() {
			await assertRoom(worker, staging, heldBytes(stored), signal);
			await succeed(worker, {argv: ['mkdir', '--mode=700', '--', folder], signal});
			try {
				const onProgress = (progress: {bytes: number; totalBytes?: number | undefined}) =>
					tell({type: 'progress', source: name, ...progress});
				// The snapshot has this one path, so the folder above it holds nothing else. It may be a single file.
				const from = {snapshot: stored.snapshot, subfolder: dirname(stored.path), into: folder};
				await restic.restore({...from, delete: false, verify: true, plain: true, signal, onProgress});
				tell({type: 'step', step: 'check', subject: name});
				const {files: expected} = details.parse(stored.details);
				const files = Number(await count('-type', 'f'));
				if (files !== expected) {
					throw new RunError(`it had ${expected} files, and ${files} were restored`);
				}

				return [`${files} files, each with the content that its hash tells`, `${await count('!', '-type', 'f')} folders, links and others`];
			} finally {
				await succeed(worker, {argv: ['rm', '-rf', '--', folder]});
			}
		},
	};
}
