/** How many files a restore of a volume would write and remove: asked of restic, which compares what is there. */
import {output} from '../../../base/command.ts';
import type {Counted, RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import type {RestoringSource} from '../restoring.ts';
import type {PlannedVolume} from './plan.ts';
import {comparing} from './restore.ts';

export async function countFiles(source: RestoringSource<PlannedVolume>, {worker, restic, all, signal}: RoomContext): Promise<Counted> {
	const {stored, paths} = source;
	if (paths !== undefined) {
		// What is in their place is kept beside them.
		const counts = await Promise.all(paths.map(async path => countEntries({restic, signal}, stored.snapshot, stored.path + path)));
		return {written: counts.reduce((sum, {files}) => sum + files, 0), removed: 0};
	}

	const folder = workerMount(source.target, source).to;
	if ((await output(worker, {argv: ['test', '-d', folder], signal})).exitCode !== 0) {
		return {written: 1, removed: 0};
	}

	const {entries, removed} = await restic.rehearse({...comparing(source, all), signal});
	const {others} = await countEntries({restic, signal}, stored.snapshot, stored.path);
	return {written: Math.max(0, entries - others), removed};
}

/** Files, and what is none: restic counts folders and links as if they were always written. */
async function countEntries(
	{restic, signal}: Pick<RoomContext, 'restic' | 'signal'>,
	snapshot: string,
	folder: string,
): Promise<{files: number; others: number}> {
	let [files, others] = [0, 0];
	await restic.list({
		snapshot,
		folder,
		signal,
		onEntry({type}) {
			files += type === 'file' ? 1 : 0;
			others += type === 'file' ? 0 : 1;
		},
	});
	return {files, others};
}
