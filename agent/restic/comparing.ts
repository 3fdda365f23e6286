/** What a restore would do: a rehearsal of it, that writes nothing. */
import {explain} from '../../base/errors.ts';
import * as argv from './argv.ts';
import type {Caller} from './call.ts';
import type {Locking} from './locking.ts';
import type {FileStatus, Summary} from './messages.ts';
import type {Comparing, RestoreOptions} from './restic.ts';
import {summaryOf} from './summary.ts';

export function comparing({read, failed}: Caller, {patiently}: Locking): Comparing {
	const compared = async (options: RestoreOptions, rehearsal: argv.Arguments, onFile?: (status: FileStatus) => void): Promise<Summary> => {
		const call = {
			action: `comparing ${options.into} with ${options.subfolder}`,
			arguments: patiently(rehearsal),
			signal: options.signal,
		};
		const summary = await summaryOf(read, call, {onFile});
		if (!summary) {
			throw failed(call, 'restic exited with 0 but said nothing about what it compared');
		}

		return summary;
	};

	return {
		changes: async options => ({bytes: (await compared(options, argv.changes(options))).total_bytes ?? 0}),
		async room(options) {
			const bytes = {fresh: 0, over: 0};
			await compared(options, argv.changesOfEach(options), ({action, size}) => {
				bytes.fresh += action === 'restored' ? size : 0;
				bytes.over += action === 'updated' ? size : 0;
			});
			return bytes;
		},
		async changed(options, onFile) {
			await compared(options, argv.changesOfEach(options), ({action, item}) => {
				if (action === 'updated') {
					onFile(item.slice(1));
				}
			});
		},
		async rehearse(options) {
			try {
				const {
					total_files: entries = 0,
					files_skipped: same = 0,
					files_deleted: removed = 0,
				} = await compared(options, argv.rehearse(options));
				// Of a snapshot that holds nothing restic would remove nothing, and `restore` does.
				return {entries, removed: entries + same === 0 ? undefined : removed};
			} catch (error) {
				if (!/not a directory/.test(explain(error))) {
					throw error;
				}

				return {entries: (await compared(options, argv.changes(options))).total_files ?? 0, removed: undefined};
			}
		},
	};
}
