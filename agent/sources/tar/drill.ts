/** An archive is read to its end, and every entry is one that a restore would take. */
import {succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {parseSource} from '../../repository/names.ts';
import {fileDrilling} from '../drilled-file.ts';
import type {DrillContext, Drilling, DrillSource} from '../drilling.ts';
import {checkArchive} from './restore.ts';

export function tarDrilling(source: DrillSource, context: DrillContext, index: number): Drilling {
	const {worker, signal} = context;
	const {details} = source.stored;
	return fileDrilling(source, context, {
		file: `drill-${index}.tar`,
		async check(file) {
			await checkArchive(worker, {file, path: parseSource(source.name).name, signal});
			// tar counts as it did when it was stored.
			const entries = Number(await succeed(worker, {argv: ['sh', '-c', 'tar -tf "$1" | wc -l', 'sh', file], signal}));
			if (entries !== details.entries) {
				throw new RunError(`it had ${String(details.entries)} entries, and ${entries} can be read`);
			}

			return [`${entries} entries, read to the end of the archive`];
		},
	});
}
