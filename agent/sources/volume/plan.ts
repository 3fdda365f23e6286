/** The mounts of a member that are backed up as files. */

import {quote} from '../../../base/reading/quote.ts';
import type {Mount} from '../../../docker/container.ts';
import {below, describeMounts, describeStorage, mountOf} from '../../../docker/storage.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {PlannedSource} from '../kind.ts';
import {objectionTo, readOnlyObjection} from '../objections.ts';
import type {Scope} from '../scope.ts';

export type SqliteSource = PlannedSource & {kind: 'sqlite'};
export type VolumeSource = PlannedSource & {kind: 'volume'};

/** Sorted by path. Those that are asked for and cannot be had are problems; those that `true` passes over are notes. */
export function chooseMounts(scope: Scope, wanted: boolean | readonly string[]): Mount[] {
	const {mounts} = scope.member.container;
	const chosen =
		typeof wanted === 'boolean'
			? mounts.filter(mount => wanted && takenByDefault(scope, mount))
			: wanted.flatMap(item => mountsNamed(scope, item));
	return [...new Set(chosen)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function takenByDefault({grounds, prefix, remarks}: Scope, mount: Mount): boolean {
	const objection = objectionTo(mount, grounds) ?? readOnlyObjection(mount);
	if (objection?.kind === 'refused') {
		remarks.problem(
			`the mount ${quote(mount.path)} (${describeStorage(mount)}) ${objection.why}`,
			`name the mounts to back up with \`${prefix}volumes\``,
		);
	} else if (objection !== undefined) {
		remarks.note(`the mount ${quote(mount.path)} (${describeStorage(mount)}) is left out: it ${objection.why}`);
	}

	return objection === undefined;
}

function mountsNamed({member: {container}, grounds, prefix, remarks}: Scope, item: string): Mount[] {
	const label = `\`${prefix}volumes\``;
	const found = container.mounts.filter(({path, volume}) => path === item || volume === item);
	if (found.length === 0) {
		remarks.problem(`${label} must name mounts of the container by path or volume, got ${quote(item)}: ${describeMounts(container)}`);
	}

	return found.filter(mount => {
		const objection = objectionTo(mount, grounds);
		const allowed = objection === undefined || objection.kind === 'passed over';
		if (!allowed) {
			remarks.problem(`${label} must not name the mount ${quote(mount.path)} (${describeStorage(mount)}): it ${objection.why}`);
		}

		return allowed;
	});
}

export function volumeSources(
	{member: {container, policy, prefix: group}, serverFolders, remarks}: Scope,
	mounts: readonly Mount[],
): PlannedSource[] {
	return mounts.map(mount => {
		const own = policy.postgres === undefined ? [] : serverFolders.filter(folder => mountOf(folder, container) === mount);
		for (const folder of own) {
			const what = folder === serverFolders[0] ? 'it is the data directory' : 'it is the WAL or a tablespace';
			remarks.note(`${quote(folder)} is left out of ${quote(mount.path)}: ${what} of a Postgres server that is dumped`);
		}

		const data = own.map(folder => escapePattern(below(folder, mount.path)));
		return {name: `${group}volume:${mount.path}`, container, kind: 'volume', mount, exclude: [...policy.exclude, ...data]};
	});
}
