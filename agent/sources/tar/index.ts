/** Paths on a container's own file system. */

import {readPaths} from '../../../base/reading/values.ts';
import type {Engine} from '../../../docker/engine.ts';
import {staging} from '../../../docker/worker.ts';
import type {Given, Kind} from '../kind.ts';
import {heldBytes} from '../room.ts';
import {describeSafety, forgetSafety} from '../safety.ts';
import {askTar, look, type TarAnswer} from './ask.ts';
import {tarSource} from './backup.ts';
import {tarDrilling} from './drill.ts';
import {obstacleTo, type PlannedPath, tarSources} from './plan.ts';
import {type ReplacedPath, replacedPath, rollBackTar, tarRestoring} from './restore.ts';

const labels = {tar: readPaths};

type Paths = readonly string[];

export const tar: Kind<Paths, TarAnswer, PlannedPath, ReplacedPath> = {
	kind: 'tar',
	title: 'tar',
	isDatabase: false,
	isServed: false,
	isTree: false,
	writesToMount: false,
	rank: 1,
	labels,
	policy: (given: Given<typeof labels>) => given.tar ?? [],
	asks: paths => paths.length > 0,
	ask: askTar,
	answersKeptMs: 10 * 60_000,
	isLasting: ({amiss}) => amiss.length === 0,
	plan: tarSources,
	stillness: () => 'needed',
	view: ({path}) => ({path}),
	backup: tarSource,
	place: ({source, name: path}, {container, policy, isForeign}) =>
		isForeign && policy.length === 0
			? `\`${source}\`: no \`tar\` is asked for`
			: container.swarm !== undefined
				? `\`${source}\`: Swarm makes a new container whenever one was stopped, so nothing can be put back into its own file system`
				: {name: source, container, kind: 'tar', path},
	check,
	// It is unpacked from there; what the container's own file system has left is not known.
	writing: ({stored}) => ({folder: staging, atMost: heldBytes(stored)}),
	// Files that the point does not have stay.
	count: async ({stored}) => ({written: typeof stored.details.entries === 'number' ? stored.details.entries : undefined, removed: 0}),
	restore: tarRestoring,
	replaced: replacedPath,
	rollBack: rollBackTar,
	release: forgetSafety,
	describe: describeSafety,
	drill: tarDrilling,
};

/** The container may be another than the one that was backed up. */
async function check({path, container}: PlannedPath, {engine}: {engine: Engine}): Promise<{problems: string[]}> {
	const obstacle = obstacleTo(path, container, await look(container, [path], {engine}));
	return {problems: obstacle === undefined ? [] : [`it cannot be put back: ${obstacle.message}`]};
}
