/** The repository: can it be opened, is a lock in the way, is a snapshot from the future. */
import {isAhead} from '../../base/clock.ts';
import {explanation, RepositoryError} from '../../base/errors.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {findFilers} from '../overview/owners.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import {firstPassTag, safetyTag} from '../repository/names.ts';
import type {Ownership} from '../repository/owner.ts';
import {pointsOf} from '../repository/points.ts';
import type {Restic, Snapshot} from '../restic/restic.ts';

/** restic refreshes the lock of a live process every 5 minutes, and takes one for stale after 30. */
const quietLockMs = 25 * 60_000;

interface Examined {
	door: RepositoryDoor;
	ownership: () => Ownership;
	/** As this agent's snapshots are filed. */
	host: string;
	resticVersion: string;
}

export async function examineRepository(restic: Restic, {door, ownership, host, resticVersion}: Examined): Promise<Finding[]> {
	const subject = 'repository';
	try {
		door.doubt();
		const id = await door.open();
		const opened: Finding = {level: 'ok', subject, message: `opened with its password (id ${id.slice(0, 8)}), restic ${resticVersion}`};
		const locks = await examineLocks(restic);
		const all = await restic.snapshots();
		const snapshots = all.filter(({tags}) => tags.includes('holdfast'));
		const owners = findFilers({points: pointsOf(snapshots), ownership: ownership(), host, now: Date.now()}).map(({finding}) => finding);
		return [opened, ...examineAccess(door, all), ...locks, ...examineTimes(snapshots), ...owners];
	} catch (error) {
		return [shut(subject, error)];
	}
}

/** What is no secret to anybody, and what is somebody else's work. */
function examineAccess({access}: Pick<RepositoryDoor, 'access'>, snapshots: readonly Snapshot[]): Finding[] {
	const subject = 'repository';
	if (access() === 'read-only') {
		return [
			{level: 'warning', subject, message: 'it is read-only: nothing is backed up to it, and what a restore overwrites is not kept in it'},
		];
	}

	const count = snapshots.filter(({tags}) => tags.includes(firstPassTag) || tags.includes(safetyTag)).length;
	const message = `it is append-only: Holdfast removes nothing from it; ${count} of its ${snapshots.length} snapshots belong to no point`;
	return access() === 'full'
		? []
		: [{level: 'ok', subject, message: `${message} (docs/append-only.md says how somebody else removes them)`}];
}

/** Asked where backups run: a worker may be in another network than the agent, and resolve names in another way. */
export async function examineReach(restic: Pick<Restic, 'id'>): Promise<Finding[]> {
	try {
		await restic.id();
		return [];
	} catch (error) {
		const {message, ...finding} = shut('repository', error);
		return [{...finding, message: `a worker cannot open it: ${message}`}];
	}
}

/** Why a repository does not open, and what to do. */
export function shut(subject: string, error: unknown): Finding {
	const {message, hint} = explanation(error);
	const known = error instanceof RepositoryError ? hints[error.problem] : undefined;
	return {level: 'error', subject, message, hint: known ?? hint ?? 'is its disk mounted, its server reachable, its location right?'};
}

/** Where more can be said than the error says, which does not know the configuration. */
const hints: Partial<Record<RepositoryError['problem'], string>> = {
	'wrong-password': 'give the password that it was made with: RESTIC_PASSWORD, or the copy of /state/repository-password',
	full: 'make room, or let retention forget more and prune',
	locked:
		'`holdfast unlock` says whose the locks are; where nothing works on the repository there: restic unlock (docs/retention.md#locks)',
};

async function examineLocks(restic: Restic): Promise<Finding[]> {
	const quiet = (await restic.locks()).filter(({time}) => Date.now() - time.getTime() > quietLockMs);
	return quiet.map(({hostname, pid, time, exclusive}) => ({
		level: exclusive ? 'error' : 'warning',
		subject: 'repository',
		message: `process ${pid} of \`${hostname}\` has ${exclusive ? 'the repository for itself by a lock' : 'a lock'} that was not refreshed since ${time.toISOString()}: ${exclusive ? 'nothing can be backed up meanwhile' : 'prune and check wait for it'}`,
		hint: '`holdfast unlock` removes it where it is proven to be of a dead process of this agent. Another machine removes its own when it is back; where nothing works on the repository there: restic unlock (docs/retention.md#locks)',
	}));
}

function examineTimes(snapshots: readonly Snapshot[]): Finding[] {
	const newest = Math.max(0, ...snapshots.map(({time}) => time.getTime()));
	return !isAhead(new Date(newest), Date.now())
		? []
		: [
				{
					level: 'error',
					subject: 'clock',
					message: `the newest snapshot is of ${new Date(newest).toISOString()}, which is still to come: the clock was ahead then, or is behind now`,
					hint: 'set the clock by NTP: until that time is over, such a point is not removed, counts for no rule of retention, and is not `latest` where there is another',
				},
			];
}
