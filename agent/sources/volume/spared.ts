/** Holdfast's own folders in a volume that is restored: the point must have the folders that they are in, or restic (0.19.1) would remove those with all that they hold, whatever is excluded in them. */
import {inside} from '../../../docker/storage.ts';
import type {Restic} from '../../restic/restic.ts';
import type {RestoringSource} from '../restoring.ts';
import type {PlannedVolume} from './plan.ts';

export async function sparedProblems(
	{name, mount, stored, spared = [], paths}: RestoringSource<PlannedVolume>,
	{find}: Pick<Restic, 'find'>,
): Promise<string[]> {
	if (paths !== undefined) {
		return [];
	}

	const problems: string[] = [];
	for (const path of spared) {
		for (const folder of above(path)) {
			const type = (await find(stored.snapshot, stored.path + folder))?.type;
			// Through a link it lies elsewhere; and where a folder is live, a link does not take its place (way.ts).
			if (type === 'symlink') {
				break;
			}

			if (type !== 'dir') {
				const [own, there] = [inside(mount.path, path), inside(mount.path, folder)];
				problems.push(
					`Holdfast's own \`${own}\` is in \`${there}\`, which is no folder in this point and would be replaced with all that it holds: restore the rest of it by its paths (--only ${name}/PATH), or move Holdfast's folder elsewhere`,
				);
				break;
			}
		}
	}

	return problems;
}

/** The folders that it is in, the root not among them: of `/a/b/c`, `/a` and `/a/b`. */
const above = (path: string): string[] => {
	const names = path.split('/').slice(1, -1);
	return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
};
