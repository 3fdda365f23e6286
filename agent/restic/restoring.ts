/** Writes what a snapshot holds. */
import type {Place} from '../../base/command.ts';
import * as argv from './argv.ts';
import {listenForRefusals} from './attributes.ts';
import type {Call, Caller} from './call.ts';
import {deleteLeftovers} from './leftover.ts';
import type {Locking} from './locking.ts';
import type {RestoreOptions, Restoring} from './restic.ts';
import {summaryOf} from './summary.ts';

/** @param place where it is written, and restic runs */
export function restoring({read, failed}: Caller, {patiently, withoutLocking}: Locking, place: Place): Restoring {
	const putBack = async (options: RestoreOptions, hear?: Call['hear']): Promise<void> => {
		const call = {
			action: `restore of ${options.subfolder} to ${options.into}`,
			arguments: (options.unlocked ? withoutLocking : patiently)(argv.restore(options)),
			signal: options.signal,
			hear,
		};
		const summary = await summaryOf(read, call, {
			onStatus: status => options.onProgress?.({bytes: status.bytes_restored ?? 0, totalBytes: status.total_bytes}),
		});
		if (!summary) {
			throw failed(call, 'restic exited with 0 but said nothing about what it restored');
		}

		if (options.delete && !summary.total_files && !summary.files_skipped) {
			await deleteLeftovers(place, options.into, options.exclude ?? [], options.signal);
		}
	};

	/** Without what may not be set; owners are refused once more. */
	const putBackPlainly = async (options: RestoreOptions): Promise<void> => {
		const refusals = listenForRefusals();
		try {
			await putBack({...options, plain: true, byTimes: true}, refusals.hear);
		} catch (error) {
			if (refusals.only() === undefined || refusals.isOfAttributes() || options.signal?.aborted) {
				throw error;
			}
		}
	};

	return {
		async restore(options) {
			const refusals = listenForRefusals();
			try {
				await putBack(options, refusals.hear);
				return undefined;
			} catch (error) {
				const unset = refusals.only();
				if (unset === undefined || options.signal?.aborted) {
					throw error;
				}

				// All else is there by now, but for further attributes of those files.
				if (refusals.isOfAttributes()) {
					await putBackPlainly(options);
				}

				return unset;
			}
		},
	};
}
