/** A container that was there when its window began, and is not any more. */
import {RunError} from '../base/errors.ts';
import {label} from '../base/label.ts';
import type {ContainerState} from './container.ts';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';
import type {Undo} from './resume.ts';

/** Why its files were not at rest. @param isStopped so it was to stand still */
export async function goneError(engine: Pick<Engine, 'list'>, name: string, isStopped: boolean): Promise<RunError> {
	return (await isReplaced(engine, name)) ? exchanged(name) : removed(name, isStopped);
}

/** What an agent that was killed had held still was removed before anybody put it back, and nobody has made another of its name. */
export async function isRemoved(engine: Pick<Engine, 'list' | 'inspect'>, {kind, containerId, containerName}: Undo): Promise<boolean> {
	if (kind !== 'start' && kind !== 'unpause') {
		return false;
	}

	const isThere = await engine.inspect(containerId).then(
		() => true,
		(error: unknown) => statusOf(error) !== 404,
	);
	return !(isThere || (await isReplaced(engine, containerName)));
}

export const removedSince = ({kind, containerName: name}: Undo): RunError =>
	new RunError(
		`container \`${name}\` was ${kind === 'start' ? 'stopped' : 'paused'} for a run, and has been removed since: there is none of that name`,
		{hint: `where nothing is meant to be in its place, leave it so; else ${bringBack(kind === 'start')}`},
	);

/** Compose makes the new one under a name of its own, and gives it the other's when that is gone. */
const isReplaced = async (engine: Pick<Engine, 'list'>, name: string): Promise<boolean> =>
	(await engine.list()).some(({name: other, state}) => (other === name && isThere(state)) || other.endsWith(`_${name}`));

/** The engine lists for a moment what it is about to remove. */
export const isThere = (state: ContainerState): boolean => state !== 'removing' && state !== 'dead';

const exchanged = (name: string) =>
	new RunError(`container \`${name}\` was exchanged for another while it was quiesced, so its files were not at rest`, {
		hint: 'programs that update or mend containers do this, such as Watchtower and autoheal, and `docker compose up --force-recreate`: keep their hours and those of the backup apart',
	});

const removed = (name: string, isStopped: boolean) =>
	new RunError(`container \`${name}\` was removed while it was quiesced, and there is no other in its place: it is down`, {
		hint: bringBack(isStopped),
	});

const bringBack = (isStopped: boolean): string =>
	`bring it back: docker compose up --detach${
		isStopped
			? `. \`docker system prune\` and \`docker container prune\` remove what is stopped, for a backup too: keep their hours and those of the backup apart, or let it be paused (\`${label('quiesce')}=pause\`)`
			: ''
	}`;
