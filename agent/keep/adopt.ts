/** Points of a former agent are taken over, and those of a target's former name. It is on record in the repository, so that it outlives the state. */

import {NotFoundError, UsageError} from '../../base/errors.ts';
import {runId} from '../../base/ids.ts';
import type {Taken} from '../../base/shapes/points.ts';
import {runOfWorkerHost} from '../../docker/worker.ts';
import type {Ledger} from '../overview/ledger.ts';
import {aliveMs} from '../overview/owners.ts';
import {type Deed, deedsOf, deedTags, type Filed, filedBy, type Ownership} from '../repository/owner.ts';
import {oursAmong, type Point, pointsOf} from '../repository/points.ts';
import {storeRecord} from '../repository/record.ts';
import type {Lock, Snapshot} from '../restic/restic.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {Deeds} from '../state/deeds.ts';

interface Adoption {
	/** The id of an agent; or the name of a host, for what one agent filed there, and for points that name no agent. */
	name: string;
	/** Also from an agent that seems to live. */
	force: boolean;
	/** False where nothing can be written to the repository: then this agent alone knows. */
	isRecorded?: boolean;
	/** Hears of what is this agent's from then on. */
	ledger: Pick<Ledger, 'look'>;
	now?: number;
}

/** @throws {NotFoundError | UsageError} */
export async function adopt(
	workshop: Workshop,
	state: Deeds,
	{name, force, isRecorded = true, ledger, now = Date.now()}: Adoption,
): Promise<Taken> {
	const restic = workshop.restic();
	const snapshots = await restic.snapshots();
	state.learnDeeds(deedsOf(snapshots));
	const ownership = workshop.ownership();
	const {deeds, filed} = planAdoption(name, {filed: filedAmong(snapshots), ownership, now});
	const reason = force ? undefined : (livesStill(filed, now) ?? holdsLock(filed, await restic.locks()));
	if (reason !== undefined) {
		throw new UsageError(`\`${name}\` is taken for alive: ${reason}`, {
			hint: 'if it is gone for good: --force. An agent that lives goes on filing, and what it filed until now is no longer its own',
		});
	}

	for (const deed of deeds) {
		// What has this agent's own id was filed by a copy of its state: no other agent need know.
		if (isRecorded && deed.what !== ownership.agent) {
			await record(workshop, deed);
		}
	}

	state.learnDeeds(deeds);
	ledger.look(snapshots);
	const points = oursAmong(pointsOf(snapshots), workshop.ownership()).filter(point => !ownership.isOurs(point));
	return {from: [...new Set(filed.map(({agent}) => agent))], ...summary(points)};
}

const filedAmong = (snapshots: readonly Snapshot[]): Filed[] => snapshots.map(filedBy).filter(({id}) => id !== '');

const summary = (points: readonly Point[]) => ({targets: [...new Set(points.map(({target}) => target))].sort(), points: points.length});

interface Repository {
	filed: readonly Filed[];
	ownership: Ownership;
	now: number;
}

/** Pure: what is taken over, and by which deeds. @throws {NotFoundError | UsageError} */
export function planAdoption(name: string, {filed: all, ownership, now}: Repository): {deeds: Deed[]; filed: Filed[]} {
	const others = all.filter(each => !ownership.isOurs(each));
	const ofAgent = others.filter(({agent}) => agent === name);
	const ofHost = others.filter(({host}) => host === name);
	const filed = ofAgent.length > 0 ? ofAgent : ofHost;
	const agents = [...new Set(filed.flatMap(({agent}) => agent ?? []))];
	if (filed.length === 0) {
		throw new NotFoundError(
			all.some(({agent, host}) => agent === name || host === name)
				? `what \`${name}\` filed is this agent's already`
				: `no agent or host \`${name}\` has filed anything here`,
			{hint: '`holdfast points` shows who filed what'},
		);
	}

	if (agents.length > 1) {
		throw new UsageError(`several agents have filed under the host name \`${name}\`: ${agents.join(', ')}`, {
			hint: `name one: holdfast adopt ${agents[0]}`,
		});
	}

	// To the second, as snapshots have it; and its clock may have been ahead.
	const at = new Date(Math.floor(Math.max(now, ...filed.map(({time}) => time.getTime())) / 1000) * 1000);
	const by = ownership.agent;
	const hosts = [...new Set(filed.flatMap(({agent, host}) => (agent === null ? [host] : [])))];
	return {
		filed,
		deeds: [
			...agents.map((what): Deed => ({kind: 'adopt', by, at, what})),
			...hosts.map((what): Deed => ({kind: 'adopt-host', by, at, what})),
		],
	};
}

function livesStill(filed: readonly Filed[], now: number): string | undefined {
	const newest = filed.reduce((a, b) => (a.time > b.time ? a : b));
	return now - newest.time.getTime() < aliveMs
		? `it filed a snapshot of \`${newest.target || 'a first pass'}\` at ${newest.time.toISOString()}, which is less than ${aliveMs / 3_600_000} hours ago`
		: undefined;
}

function holdsLock(filed: readonly Filed[], locks: readonly Lock[]): string | undefined {
	const runs = new Set(filed.map(({id}) => id));
	const lock = locks.find(({hostname}) => runs.has(runOfWorkerHost(hostname) ?? ''));
	return lock && `its run ${runOfWorkerHost(lock.hostname)} has a lock in the repository`;
}

/** On record first: when the agent dies now, it finds the deed there. */
async function record(workshop: Workshop, deed: Deed): Promise<void> {
	await storeRecord(workshop.restic(), {
		filename: `/holdfast/${deed.kind}.json`,
		content: JSON.stringify(deed),
		folder: workshop.folder,
		name: runId(Date.now()),
		tags: deedTags(deed),
		time: deed.at,
		host: workshop.host,
	});
}

interface Move {
	/** Targets, or projects. */
	from: string;
	to: string;
	/** Names of the targets that there are. */
	present: readonly string[];
}

/** @param options `ledger` hears of the new names @throws {NotFoundError | UsageError} */
export async function move(workshop: Workshop, state: Deeds, {ledger, ...asked}: Move & Pick<Adoption, 'ledger'>): Promise<Taken> {
	const snapshots = await workshop.restic().snapshots(['holdfast']);
	state.learnDeeds(deedsOf(snapshots));
	const points = oursAmong(pointsOf(snapshots), workshop.ownership());
	const names = planMove(asked, points);
	const at = new Date(Math.floor(Date.now() / 1000) * 1000);
	for (const [what, newName] of names) {
		const deed: Deed = {kind: 'move', by: workshop.agentId, at, what, to: newName};
		await record(workshop, deed);
		state.learnDeeds([deed]);
	}

	ledger.look(snapshots);
	const moved = points.filter(({target}) => names.has(target));
	return {from: [...names.keys()], targets: [...names.values()], points: moved.length};
}

/** Pure: the new name of each target. @throws {NotFoundError | UsageError} */
export function planMove({from, to, present}: Move, points: ReadonlyArray<Pick<Point, 'target'>>): Map<string, string> {
	const known = new Set(points.map(({target}) => target));
	const names = known.has(from) ? [from] : [...known].filter(name => name.startsWith(`${from}/`)).sort();
	if (names.length === 0) {
		throw new NotFoundError(`this agent has no points of a target or project \`${from}\``, {hint: '`holdfast points` lists them'});
	}

	const still = names.find(name => present.includes(name));
	if (still !== undefined || from === to) {
		throw new UsageError(`\`${still ?? from}\` is still there under this name: its points stay its own`, {
			hint: `restore them elsewhere with \`holdfast restore ${to} --from-target ${from}\``,
		});
	}

	if (names[0] !== from && to.includes('/')) {
		throw new UsageError(`both must be targets, or both projects, got \`${from}\` and \`${to}\``, {
			hint: 'a target is `PROJECT/SERVICE`, a project `PROJECT`',
		});
	}

	return new Map(names.map(name => [name, `${to}${name.slice(from.length)}`]));
}
