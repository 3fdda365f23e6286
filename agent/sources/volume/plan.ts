/** The mounts of a member that are backed up as files. */

import {quote} from '../../../base/reading/quote.ts';
import type {Mount} from '../../../docker/container.ts';
import {describeMounts, describeStorage, inside, isInside, shownIn} from '../../../docker/storage.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {Scope} from '../kind.ts';
import {objectionTo, ownIn, readOnlyObjection, whyOwn} from '../objections.ts';
import type {PlannedSource} from '../source.ts';
import {leavesOutAll, namesWithin} from './exclusions.ts';
import type {VolumePolicy} from './labels.ts';

/** `exclude`: patterns relative to the mount, those of what is dealt with otherwise among them, and of what is spared. */
export interface PlannedVolume extends PlannedSource {
	kind: 'volume';
	mount: Mount;
	exclude: readonly string[];
	/** Those of them that the label names. Missing in restores, which go by what the point left out. */
	unwanted?: readonly string[];
	/** Holdfast's own folders in it, from its root: a restore touches them in no way. None where it was not looked for: they are left out of backups as `exclude` says. */
	spared?: readonly string[] | undefined;
}

type VolumeScope = Scope<VolumePolicy>;

export const isVolume = (source: PlannedSource): source is PlannedVolume => source.kind === 'volume';

export function volumeSources(scope: VolumeScope): PlannedVolume[] {
	const {container, group, policy, hasOthers, remarks, prefix} = scope;
	const mounts = chooseMounts(scope, policy.volumes ?? !hasOthers);
	if (policy.exclude.length > 0 && mounts.length === 0) {
		remarks.note(`\`${prefix}exclude\` leaves nothing out, as no volume is backed up`);
	}

	if (mounts.length > 0) {
		checkPatterns(scope);
	}

	for (const {path} of mounts.filter(({isRewritten}) => isRewritten)) {
		remarks.note(
			`the file ${quote(path)} was replaced on the host since container \`${container.name}\` was started, which has the former one until its next start: what the host has is backed up`,
		);
	}

	for (const [pattern, {path}] of policy.exclude.flatMap(pattern => mounts.map(mount => [pattern, mount] as const))) {
		if (isInside(pattern, path)) {
			remarks.note(
				`\`${prefix}exclude\`: patterns begin at the root of the mount, so ${quote(pattern)} leaves out ${quote(path + pattern)}${pattern === path ? '' : `; if ${quote(pattern)} itself is meant, write \`${pattern.slice(path.length + 1)}\``}`,
			);
		}
	}

	return mounts.map(mount => ({
		name: `${group}volume:${mount.path}`,
		container,
		kind: 'volume',
		mount,
		unwanted: policy.exclude,
		exclude: [...policy.exclude, ...claimedIn(mount, scope), ...spareIn(mount, scope)],
	}));
}

function checkPatterns({policy, prefix, remarks}: VolumeScope): void {
	for (const pattern of policy.exclude) {
		if (leavesOutAll(pattern)) {
			remarks.problem(
				`\`${prefix}exclude\` must leave something to back up, got ${quote(pattern)}, which leaves out all of every mount`,
				`where no files are wanted, write \`${prefix}volumes: "false"\`; where some are, name with \`${prefix}volumes\` the mounts that they are in`,
			);
		}

		const names = namesWithin(pattern);
		if (names.length > 0) {
			remarks.note(
				`\`${prefix}exclude\`: ${quote(pattern)} is one name with a space in it; several are separated by commas: \`${names.join(',')}\``,
			);
		}
	}
}

/** Patterns of what is Holdfast's own. */
function spareIn(mount: Mount, {grounds: {self}, remarks}: VolumeScope): string[] {
	const own = ownIn(mount, self) ?? [];
	if (own.length > 0) {
		const [is, them, they] = own.length === 1 ? ['is', 'it', 'it'] : ['are', 'them', 'they'];
		const places = own.map(path => quote(inside(mount.path, path))).join(', ');
		remarks.note(`${places} ${is} left out of ${quote(mount.path)}, and no restore touches ${them}: ${they} ${is} ${whyOwn}`);
	}

	return own.map(escapePattern);
}

/** Patterns of what is dealt with otherwise. */
const claimedIn = (mount: Mount, {grounds: {claims}, remarks}: VolumeScope): string[] =>
	claims
		.filter(({mount: claimed, path}) => path !== claimed.path)
		.flatMap(claim => {
			const inside = shownIn(mount, claim.mount, claim.path);
			if (inside === undefined || inside === '') {
				return [];
			}

			if (claim.isTold) {
				remarks.note(`${quote(claim.path)} is left out of ${quote(mount.path)}: it ${claim.why}`);
			}

			return [escapePattern(inside)];
		});

/** Sorted by path. Those that are asked for and cannot be had are problems; those that `true` passes over are notes. */
function chooseMounts(scope: VolumeScope, wanted: boolean | readonly string[]): Mount[] {
	const {mounts} = scope.container;
	const chosen =
		typeof wanted === 'boolean'
			? mounts.filter(mount => wanted && takenByDefault(scope, mount))
			: wanted.flatMap(item => mountsNamed(scope, item));
	return [...new Set(chosen)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function takenByDefault({container, group, grounds, prefix, remarks}: VolumeScope, mount: Mount): boolean {
	const own = objectionTo(mount, grounds);
	// What nobody asked for, and may only be read, is no mistake either: a monitor that sees all of the host.
	const objection = own?.kind === 'refused' ? (readOnlyObjection(mount) ?? own) : (own ?? readOnlyObjection(mount));
	if (objection?.kind === 'refused') {
		const label = `\`${prefix}volumes\``;
		remarks.object(
			`${group}volume:${mount.path}`,
			`the mount ${quote(mount.path)} (${describeStorage(mount)}) ${objection.why}`,
			container.mounts.length > 1
				? `name the mounts to back up with ${label}, and not this one`
				: `say with ${label} \`false\` that it is not wanted; or mount the application's own folder there alone`,
		);
	} else if (objection !== undefined) {
		remarks.note(`the mount ${quote(mount.path)} (${describeStorage(mount)}) is left out: it ${objection.why}`);
	}

	return objection === undefined;
}

function mountsNamed({container, group, grounds, prefix, remarks}: VolumeScope, item: string): Mount[] {
	const label = `\`${prefix}volumes\``;
	const found = container.mounts.filter(({path, volume}) => path === item || volume === item);
	if (found.length === 0) {
		remarks.problem(`${label} must name mounts of the container by path or volume, got ${quote(item)}: ${describeMounts(container)}`);
	}

	return found.filter(mount => {
		const objection = objectionTo(mount, grounds);
		if (objection === undefined || objection.kind === 'passed over') {
			return true;
		}

		const message = `${label} must not name the mount ${quote(mount.path)} (${describeStorage(mount)}): it ${objection.why}`;
		if (objection.kind === 'refused') {
			const wayOut = `take it out of ${label}, and mount by itself what of it is the application's`;
			remarks.object(`${group}volume:${mount.path}`, message, wayOut);
		} else {
			remarks.problem(message);
		}

		return false;
	});
}
