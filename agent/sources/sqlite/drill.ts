/** A SQLite database is restored to a file of its own, and checked as in a restore. */
import {parseSource} from '../../repository/names.ts';
import {fileDrilling} from '../drilled-file.ts';
import type {DrillContext, Drilling, DrillSource} from '../drilling.ts';
import {checkFile} from './restore.ts';
import {describeUnchecked} from './unchecked.ts';

export function sqliteDrilling(source: DrillSource, context: DrillContext, index: number): Drilling {
	const {details} = source.stored;
	return fileDrilling(source, context, {
		file: `drill-${index}.sqlite`,
		async check(file) {
			const untested = await checkFile(context.worker, parseSource(source.name).name, {file, details}, context.signal);
			const soundness = untested.length === 0 ? 'integrity_check says ok' : describeUnchecked(untested);
			return [soundness, `${details.tables} tables`];
		},
	});
}
