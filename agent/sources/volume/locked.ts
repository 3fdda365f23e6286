import type {RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import type {RestoringSource} from '../restoring.ts';
import {lockedIn} from './attributes.ts';
import type {PlannedVolume} from './plan.ts';
import {comparing} from './restore.ts';

/** Such files can be neither written nor moved nor, after an undo or a finish, removed; the application would stand still until that is seen. */
export async function lockedProblems(source: RestoringSource<PlannedVolume>, {worker, all, signal}: RoomContext): Promise<string[]> {
	const {name, target, paths} = source;
	if (paths !== undefined) {
		return [];
	}

	const {to} = workerMount(target, source);
	const locked = await lockedIn({name, path: to, exclude: comparing(source, all).exclude ?? []}, {worker, signal});
	return locked.length === 0
		? []
		: [
				`\`${name}\`: nobody may change ${locked.join(', ')} (immutable or append-only: \`chattr +i\`, \`+a\`); take that away before, \`chattr -R -i -a\` on the host, and give it back after the restore`,
			];
}
