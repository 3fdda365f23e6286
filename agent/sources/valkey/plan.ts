/** The server of a member, and what its files are. Pure. */
import type {Container, Mount} from '../../../docker/container.ts';
import {isInside, mountOf} from '../../../docker/storage.ts';
import type {Asked, Scope} from '../kind.ts';
import type {Claim} from '../objections.ts';
import type {PlannedSource} from '../source.ts';
import type {ValkeyAnswer} from './ask.ts';
import {type Access, accessOf, type ValkeyPolicy} from './labels.ts';

export interface PlannedServer extends PlannedSource {
	kind: 'valkey';
	access: Access;
	/** The mounts that hold nothing but the server's data. */
	data?: readonly Mount[] | undefined;
}

type ValkeyScope = Scope<ValkeyPolicy | undefined, ValkeyAnswer>;

/** A server has numbered databases, which are saved together. */
const everything = 'all';

export function valkeySources(scope: ValkeyScope): PlannedServer[] {
	const {container, group, policy, answer, remarks} = scope;
	if (policy === undefined || !canAnswer(scope)) {
		return [];
	}

	const {name} = container;
	if (answer !== undefined) {
		const {folder, master, isCluster} = answer;
		if (master !== undefined) {
			remarks.note(
				`the server in container \`${name}\` is a replica of ${master.address}${master.isUp ? '' : ', which it does not reach now'}: it saves what it has got so far, and cannot be restored to`,
			);
		}

		if (isCluster) {
			remarks.note(`the server in container \`${name}\` is one of a cluster: it saves its own share, and the others are of other moments`);
		}

		if (mountOf(folder, container) === undefined) {
			remarks.note(
				`\`${folder}\`, where the server in container \`${name}\` saves, is in no volume: it is backed up, and a restore needs a volume there`,
			);
		}
	}

	return [
		{
			name: `${group}valkey:${everything}`,
			container,
			kind: 'valkey',
			access: accessOf(policy, container),
			data: dataMounts(container, answer?.folder),
		},
	];
}

/** Who stopped it, or paused it, had a reason: it stays as it is, and the others are backed up without it. */
function canAnswer({container: {state, name}, group, remarks}: ValkeyScope): boolean {
	if (state === 'restarting') {
		remarks.problem(`container \`${name}\`, which has to answer, does not come up (restarting)`, `docker logs ${name} says why`);
	} else if (state !== 'running') {
		const isPaused = state === 'paused';
		remarks.lack(
			[`${group}valkey:${everything}`],
			`container \`${name}\`, which has to answer, ${isPaused ? 'is paused by somebody else' : `is not running (${state})`}`,
			isPaused ? `docker unpause ${name}` : `docker start ${name}`,
		);
	}

	return state === 'running';
}

/** Where images keep their data. */
const usual = ['/data', '/bitnami/valkey/data', '/bitnami/redis/data', '/var/lib/valkey', '/var/lib/redis'];

/** The mount of the server's folder, where that was known, or of one where images have it. */
export const mountOfFolder = (container: Container, folder: string | undefined): Mount | undefined =>
	[...(folder === undefined ? [] : [folder]), ...usual].map(path => mountOf(path, container)).find(mount => mount !== undefined);

/** Those that hold nothing but what is the server's own. @param folder as the server says; undefined: it did not */
const dataMounts = ({mounts}: Container, folder: string | undefined): Mount[] => {
	const folders = folder === undefined ? usual : [folder];
	return mounts.filter(mount => folders.some(each => isInside(mount.path, each)));
};

/** What is the server's own is no files: whole mounts, or its folder in one. */
export function claimedData({container, policy}: Asked<ValkeyPolicy | undefined>, answer: ValkeyAnswer | undefined): Claim[] {
	if (policy === undefined) {
		return [];
	}

	const whole = dataMounts(container, answer?.folder);
	const holding = answer === undefined ? undefined : mountOf(answer.folder, container);
	return [
		...whole.map(mount => ({mount, path: mount.path, why: 'holds the data of a Valkey server that is saved', isTold: true})),
		...(holding === undefined || answer === undefined || whole.includes(holding)
			? []
			: [{mount: holding, path: answer.folder, why: 'is the folder of a Valkey server that is saved', isTold: true}]),
	];
}
