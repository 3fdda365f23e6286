/** Stores files and streams as new snapshots. */
import * as argv from './argv.ts';
import type {Call, Caller} from './call.ts';
import type {Locking} from './locking.ts';
import type {BackupOptions, Saved, Storing} from './restic.ts';
import {summaryOf} from './summary.ts';

export function storing({read, failed}: Caller, {patiently}: Locking): Storing {
	const backUp = async (verb: Call, {signal, hold, onProgress}: BackupOptions): Promise<Saved> => {
		const call = {...verb, signal, hold};
		const summary = await summaryOf(read, call, {
			onStatus: status => onProgress?.({bytes: status.bytes_done ?? 0, totalBytes: status.total_bytes}),
		});
		if (!summary?.snapshot_id) {
			throw failed(call, 'restic exited with 0 but named no snapshot');
		}

		return {
			snapshot: summary.snapshot_id,
			bytes: summary.total_bytes_processed ?? 0,
			addedBytes: summary.data_added_packed ?? summary.data_added ?? 0,
			files: summary.total_files_processed ?? 0,
			unmodifiedFiles: summary.files_unmodified ?? 0,
			seconds: summary.total_duration ?? 0,
		};
	};

	return {
		backupFiles: async options =>
			backUp({action: `backup of ${options.path}`, arguments: patiently(argv.backupFiles(options)), live: options.live}, options),
		backupStream: async options =>
			backUp({action: `backup of ${options.filename}`, arguments: patiently(argv.backupStream(options))}, options),
	};
}
