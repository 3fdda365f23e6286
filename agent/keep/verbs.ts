/** The verbs of keeping the repository in order, as the agent offers them: what goes, and the proof that the rest is whole. */

import {NotFoundError, UsageError} from '../../base/errors.ts';
import type {Notices} from '../../base/notices.ts';
import {neverCancelled} from '../../base/patience.ts';
import {type BackupResult, type CheckResult, type PruneResult, repositoryTarget, resultOf} from '../../base/results.ts';
import type {Unlocked} from '../../base/shapes/locks.ts';
import type {RetentionView, Taken} from '../../base/shapes/points.ts';
import type {Accepted} from '../../base/shapes/runs.ts';
import type {Ledger} from '../overview/ledger.ts';
import type {Survey} from '../plan/survey.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import {newestOf, type Point} from '../repository/points.ts';
import type {UpkeepOperation} from '../repository/upkept.ts';
import type {Runs} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import {adopt, move} from './adopt.ts';
import {check} from './check.ts';
import type {Election, Turn} from './election.ts';
import {inspect} from './inspect.ts';
import {type MaintenanceParts, prune} from './prune.ts';
import type {Retention, RetentionPolicy} from './retention.ts';
import type {Sweeper} from './sweep.ts';
import {type TidyOptions, tidy} from './tidy.ts';
import {allOwn, createVerdicts, shutBy} from './verdicts.ts';

interface UpkeepParts extends Omit<MaintenanceParts, 'state' | 'sweeper'> {
	survey: Pick<Survey, 'targets'>;
	runs: Runs;
	state: State;
	door: RepositoryDoor;
	sweeper: Sweeper;
	/** `keep` is that of targets whose labels do not say. */
	policy: RetentionPolicy;
	notices: Pick<Notices, 'send'>;
	ledger: Pick<Ledger, 'look'>;
	election: Election;
	/** In how many checks all of the data is read once. */
	checkParts: number;
}

export interface Keeping {
	/** What `prune` would remove now, and why the rest stays. @throws {RepositoryError} */
	planPrune: () => Promise<RetentionView[]>;
	/** Removes the points that no rule keeps, and the data that nothing needs. Waits until it is alone. @throws {RepositoryError | BusyError} */
	prune: (trigger: string) => Promise<Accepted<PruneResult>>;
	/**
	 * Proves that the repository is whole. Waits until it is alone.
	 * @param readData which part of the data is read, too: `all`, `n/N`, `next` (in turn), or null: none
	 * @throws {RepositoryError | BusyError}
	 */
	check: (readData: string | null, trigger: string) => Promise<Accepted<CheckResult>>;
	/** A person has looked at the target, which is much smaller than before: its newest point is the new measure. @throws {NotFoundError} */
	acceptSizes: (target: string) => Promise<{target: string; point: string}>;
	/**
	 * Takes over what a former agent filed: its id, or the name of its host.
	 * @param force also from one that seems to live
	 * @throws {NotFoundError | UsageError}
	 */
	adopt: (agent: string, options: {force: boolean}) => Promise<Taken>;
	/** What was filed for a target, or for a project, is another's from now on: it has a new name. @throws {NotFoundError | UsageError} */
	move: (from: string, to: string) => Promise<Taken>;
	/** Removes locks whose owners are proven dead, and tells of the others. @throws {RepositoryError} */
	unlock: () => Promise<Unlocked>;
}

export interface Upkeep extends Keeping {
	/** After a backup that made a point, when no other run is under way: what belongs to no point goes, and what no rule keeps any more. */
	tidy: (result: BackupResult, options: TidyOptions) => Promise<void>;
	/** What of a new point is much smaller than before. @param earlier newest first */
	inspect: (result: BackupResult, earlier: readonly Point[]) => string | undefined;
}

export function createUpkeep(parts: UpkeepParts): Upkeep {
	const {workshop, survey, runs, state, door, sweeper, policy, notices, ledger, checkParts, repository, election} = parts;
	const target = repositoryTarget(repository.name);
	const verdicts = createVerdicts(parts);

	/** Nobody is there who would ask again: what is due by schedule waits for the run before it. */
	const freeFor = async (trigger: string): Promise<void> => {
		for (let run = runs.current(target); run !== undefined && trigger === 'schedule'; run = runs.current(target)) {
			await Array.fromAsync(runs.follow(run, neverCancelled()));
		}
	};

	/** What a schedule asks for and cannot be is a failed run, which is seen; a person is told at once. */
	const openFor = async (trigger: string): Promise<void> => {
		if (trigger !== 'schedule') {
			await door.open();
		}
	};

	/** What is due by schedule is done by one of the agents that share the repository. It is waited for before the run: that would keep others waiting. */
	const turnOf = async (operation: UpkeepOperation, trigger: string): Promise<((signal: AbortSignal) => Turn) | undefined> => {
		if (trigger !== 'schedule') {
			return undefined;
		}

		const since = Date.now();
		// Where the repository does not answer, the run says it.
		await election.turn(operation, since).catch(() => undefined);
		await freeFor(trigger);
		return signal => async () => election.turn(operation, since, signal);
	};

	const partInTurn = async (): Promise<string> => {
		const own = lastCheck(state, target);
		const recorded = await election.newest('check', ({readData}) => readData?.includes('/') === true).catch(() => undefined);
		const isNewer = recorded !== undefined && recorded.at.getTime() > Date.parse(own?.startedAt ?? '1970-01-01');
		return nextPart(isNewer ? recorded : own, checkParts);
	};

	return {
		async planPrune() {
			return (await verdicts()).map(retentionView);
		},
		async prune(trigger) {
			await openFor(trigger);
			// What was only learned may have changed: a person who asks for it finds out.
			const access = repository.access ?? (door.access() === 'read-only' ? 'read-only' : 'full');
			const shut = shutBy(access);
			if (shut !== undefined) {
				throw new UsageError(`nothing can be pruned: ${shut}`, {hint: 'docs/append-only.md says who does it, and how'});
			}

			const turn = await turnOf('prune', trigger);
			return runs.start({
				operation: 'prune',
				target,
				trigger,
				exclusive: true,
				work: async context => prune(parts, context, {decide: async () => verdicts({access}), turn: turn?.(context.signal)}),
			});
		},
		async check(readData, trigger) {
			await openFor(trigger);
			const turn = await turnOf('check', trigger);
			const part = readData === 'next' ? await partInTurn() : readData;
			return runs.start({
				operation: 'check',
				target,
				trigger,
				exclusive: true,
				work: async context => check(parts, context, {readData: part, turn: turn?.(context.signal)}),
			});
		},
		async acceptSizes(name) {
			await door.open();
			const points = (await allOwn(workshop, state)).filter(point => point.target === name);
			// Up to one of a time that is still to come would be up to all that are made until then.
			const newest = newestOf(points);
			if (newest === undefined) {
				throw new NotFoundError(`\`${name}\` has no restore point`, {hint: '`holdfast points` lists them'});
			}

			state.accept(name, newest.time);
			state.saveSuspicion(name, null);
			state.tellOnce(`shrunk ${name}`, null);
			return {target: name, point: newest.id};
		},
		async adopt(name, {force}) {
			await door.open();
			return adopt(workshop, state, {name, force, isRecorded: door.access() !== 'read-only', ledger});
		},
		async move(from, to) {
			await door.open();
			return move(workshop, state, {from, to, ledger, present: (await survey.targets()).map(each => each.name)});
		},
		async unlock() {
			await door.open();
			const {removed, left, warning} = await sweeper.releaseLocks();
			return {
				removed: removed.map(lock => lockView(lock, 'its process is gone')),
				left: left.map(({why, ...lock}) => lockView(lock, why)),
				...(warning === undefined ? {} : {warning}),
			};
		},
		tidy: async (result, options) => tidy({sweeper, verdicts}, result, options),
		inspect: (result, earlier) => inspect({state, notices, shrinkLimit: policy.shrinkLimit}, result, earlier),
	};
}

const lastCheck = (state: State, target: string): CheckResult | undefined =>
	state
		.runs({target, operation: 'check', outcome: 'success', limit: 100})
		.map(record => resultOf('check', record))
		.find((result): result is CheckResult => result?.readData?.includes('/') === true);

/** The part after the last one that was good, so that all are read in turn; a part that was not good is read again. */
export function nextPart(last: Pick<CheckResult, 'readData'> | undefined, parts: number): string {
	const [, done = '0', of = ''] = /^(\d+)\/(\d+)$/.exec(last?.readData ?? '') ?? [];
	return Number(of) === parts ? `${(Number(done) % parts) + 1}/${parts}` : `1/${parts}`;
}

const lockView = (
	{id, hostname, pid, exclusive, time}: {id: string; hostname: string; pid: number; exclusive: boolean; time: Date},
	why: string,
) => ({
	lock: id,
	host: hostname,
	pid,
	exclusive,
	refreshedAt: time.toISOString(),
	ageSeconds: Math.max(0, (Date.now() - time.getTime()) / 1000),
	why,
});

const retentionView = ({target, keep, held, points}: Retention): RetentionView => ({
	target,
	keep,
	held,
	points: points.map(({point, action, why}) => ({
		point: point.id,
		time: point.time.toISOString(),
		bytes: point.sources.reduce((sum, {bytes}) => sum + bytes, 0),
		action,
		why,
	})),
});
