/** Of a mount that is a single file: neither a folder can be put in its place, nor it in the place of a folder. */
import {output} from '../../../base/command.ts';
import {describeStorage} from '../../../docker/storage.ts';
import type {RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import type {RestoringSource} from '../restoring.ts';
import {isSingleFile} from '../single-file.ts';
import type {PlannedVolume} from './plan.ts';

/** Where the file of a bind mount is missing, Compose and the engine make a folder of its name. */
export async function shapeProblems(
	source: RestoringSource<PlannedVolume>,
	{worker, restic, signal}: Pick<RoomContext, 'worker' | 'restic' | 'signal'>,
): Promise<string[]> {
	const {name, target, mount, paths, container, stored} = source;
	if (paths !== undefined || typeof stored.details.files !== 'number') {
		return [];
	}

	const {to} = workerMount(target, source);
	const isFolder = (await output(worker, {argv: ['test', '-d', to], signal})).exitCode === 0;
	const wasFolder = !(await isSingleFile(source, restic, signal));
	if (isFolder === wasFolder) {
		return [];
	}

	const [was, is, make] = wasFolder
		? ['a folder', 'a single file', 'make a folder of it']
		: ['a single file', 'a folder, as the engine makes one where the file is missing', 'remove it, `touch` it'];
	// One that was started has the other form on its own file system, too, where the mount belongs, and could not be started again.
	const anew =
		container.state === 'created'
			? ''
			: `, and make the container anew (\`docker compose up --detach --force-recreate ${container.service ?? container.name}\`)`;
	return [
		`\`${name}\` was ${was} when it was backed up, and what container \`${container.name}\` has there (${describeStorage(mount)}) is ${is}: ${make} on the host${anew}`,
	];
}
