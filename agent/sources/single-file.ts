/** What was stored of a mount: a folder, or a single file. */
import type {Restic} from '../restic/restic.ts';
import type {RestoringSource} from './restoring.ts';

/** Whether what was stored is a single file, as its snapshot has it: asked only where it may be one. */
export async function isSingleFile(
	{stored: {snapshot, path, details}}: Pick<RestoringSource, 'stored'>,
	restic: Pick<Restic, 'look'>,
	signal?: AbortSignal,
): Promise<boolean> {
	if (details.files !== 1) {
		return false;
	}

	let isFile = false;
	await restic.look({
		snapshot,
		path,
		signal,
		onNode(node) {
			isFile ||= node.path === path && node.type === 'file';
		},
	});
	return isFile;
}
