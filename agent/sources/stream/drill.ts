/** A stream is read to its end, and judged by its check in a new container of the same image: no server, no network, nothing of the target's data. */
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {size} from '../../../base/units.ts';
import {parseSource} from '../../repository/names.ts';
import type {DrillContext, Drilling, DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import {consume} from './consume.ts';
import {streamContainer} from './container.ts';
import type {StreamPolicies, StreamPolicy} from './labels.ts';

export function streamDrilling({name, stored, image, policy}: DrillSource<StreamPolicies>, context: DrillContext): Drilling {
	const {restic, signal, tell} = context;
	const {name: stream} = parseSource(name);
	const own = policy?.get(stream);

	const judge = async (judged: StreamPolicy): Promise<void> => {
		const scratch = await context.scratch(image, {});
		try {
			await consume({
				stream,
				policy: judged,
				part: 'check',
				container: streamContainer(context.engine, scratch, {stream, user: judged.user}),
				open: async either => restic.dump(stored.snapshot, stored.path, either),
				onBytes: bytes => tell({type: 'progress', source: name, bytes, totalBytes: stored.bytes}),
				signal,
			});
		} finally {
			// What cannot be removed now is tried again at the end of the run, which says so.
			await scratch.dismiss().catch(() => {});
		}
	};

	return {
		name,
		async rehearse() {
			const held = await restic.find(stored.snapshot, stored.path, signal);
			if (held?.bytes !== stored.bytes) {
				throw new RunError(`the stream had ${stored.bytes} bytes, and the repository has ${held?.bytes ?? 'none'} of it`);
			}

			tell({type: 'step', step: 'check', subject: name});
			if (own?.check === undefined) {
				await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: '/dev/null'});
			} else {
				await judge(own);
			}

			return [
				`${size(stored.bytes)}, read to the end`,
				own?.check === undefined ? `no \`${label(`stream.${stream}.check`)}\` judges what it holds` : `\`${own.check[0]}\` accepts it`,
			];
		},
	};
}
