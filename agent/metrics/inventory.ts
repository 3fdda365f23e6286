/** What the repository holds and how well it is: looked at now and then, and after each run that may have changed it, so that asking costs nothing. */
import type {EventHub} from '../../base/events.ts';
import {
	type CheckResult,
	doneAt,
	type Operation,
	type PruneResult,
	type RunResult,
	repositoryTarget,
	resultOf,
} from '../../base/results.ts';
import type {Ledger} from '../overview/ledger.ts';
import type {Ownership} from '../repository/owner.ts';
import {oursAmong, pointsOf} from '../repository/points.ts';
import {type UpkeepOperation, upkeptAmong} from '../repository/upkept.ts';
import type {Restic} from '../restic/restic.ts';
import type {State} from '../state/state.ts';

/** Times are milliseconds since 1970. Undefined: not known yet. */
export interface Holdings {
	/** Of each target: this agent's own. */
	points: ReadonlyMap<string, number> | undefined;
	sizeBytes: number | undefined;
	/** For how long nobody had refreshed the oldest lock, in milliseconds, when it was looked at: what became of it since nobody knows. Null: there is none. */
	lockAgeMs: number | null | undefined;
	/** Whether the last check found everything in order. */
	checkSuccess: boolean | undefined;
	/** The last good ones. */
	lastCheck: number | undefined;
	lastPrune: number | undefined;
	/** Targets of which nothing is removed until a person has looked. */
	suspicious: readonly string[];
}

export interface Inventory {
	/** At once. */
	holdings: () => Holdings;
	close: () => void;
}

interface InventoryParts {
	/** By which metrics name it. */
	name: string;
	restic: Pick<Restic, 'snapshots' | 'locks' | 'size'>;
	state: Pick<State, 'runs' | 'suspicions'>;
	ownership: () => Ownership;
	ledger: Pick<Ledger, 'look'>;
	hub: EventHub;
	/** Resolves when the repository can be asked. */
	opened: () => Promise<unknown>;
	report: (error: unknown) => void;
	lookMs?: number;
}

const changing: ReadonlySet<Operation> = new Set<Operation>(['backup', 'prune', 'check', 'copy']);

/** Locks come and go by themselves. */
const defaultLookMs = 10 * 60_000;

/** How many backups since the last prune are counted. */
const countedRuns = 10_000;

const longestRunMs = 7 * 24 * 3_600_000;

export function createInventory({
	name,
	restic,
	state,
	ownership,
	ledger,
	hub,
	opened,
	report,
	lookMs = defaultLookMs,
}: InventoryParts): Inventory {
	const target = repositoryTarget(name);
	let points: Map<string, number> | undefined;
	let lockAgeMs: number | null | undefined;
	let measured: {bytes: number; at: number} | undefined;
	let added = 0;
	const recorded = new Map<UpkeepOperation, readonly number[]>();
	let isLooking = false;
	let isStale = false;

	const last = <Result>(operation: Operation, outcome?: 'success') =>
		state.runs({target, operation, outcome, isFinished: true, limit: 1})[0] as
			| {finishedAt: number; outcome: string; result: Result}
			| undefined;

	/** By whichever agent of those that share the repository. */
	const lastDone = (operation: UpkeepOperation): number | undefined => {
		const own = last<RunResult>(operation, 'success');
		const times = [...(recorded.get(operation) ?? []), ...(own ? [doneAt(own.result, own.finishedAt)] : [])];
		return times.length === 0 ? undefined : Math.max(...times);
	};

	/** A prune measures; until the first one, it is done here, once. What backups added since comes on top. */
	const measure = async () => {
		const pruned = last<PruneResult>('prune', 'success');
		if (pruned?.result.bytes != null) {
			measured = {bytes: pruned.result.bytes, at: pruned.finishedAt};
		}

		measured ??= {bytes: await restic.size(), at: Date.now()};
		const {at} = measured;
		added = state
			.runs({operation: 'backup', limit: countedRuns, since: at - longestRunMs})
			.flatMap(record => ((record.finishedAt ?? 0) > at ? (resultOf('backup', record)?.sources ?? []) : []))
			.reduce((sum, {addedBytes}) => sum + addedBytes, 0);
	};

	const look = async (): Promise<void> => {
		await opened();
		const snapshots = await restic.snapshots(['holdfast']);
		ledger.look(snapshots);
		for (const operation of ['prune', 'check'] as const) {
			recorded.set(
				operation,
				upkeptAmong(snapshots, operation).map(({at}) => at.getTime()),
			);
		}

		const all = oursAmong(pointsOf(snapshots), ownership());
		points = new Map([...Map.groupBy(all, each => each.target)].map(([key, ofTarget]) => [key, ofTarget.length]));
		const locks = await restic.locks();
		lockAgeMs = locks.length === 0 ? null : Math.max(0, ...locks.map(({time}) => Date.now() - time.getTime()));
		await measure();
	};

	const lookWhileStale = async () => {
		while (isStale) {
			isStale = false;
			await look().catch(report);
		}

		isLooking = false;
	};

	const lookSoon = () => {
		isStale = true;
		if (!isLooking) {
			isLooking = true;
			void lookWhileStale();
		}
	};

	const unlisten = hub.listen(event => {
		if (event.type === 'finished' && changing.has(event.operation)) {
			lookSoon();
		}
	});
	const timer = setInterval(lookSoon, lookMs);
	timer.unref?.();
	lookSoon();
	return {
		holdings: () => ({
			points,
			lockAgeMs,
			sizeBytes: measured && measured.bytes + added,
			checkSuccess: optional(last<CheckResult>('check'), ({outcome}) => outcome === 'success'),
			lastCheck: lastDone('check'),
			lastPrune: lastDone('prune'),
			suspicious: [...state.suspicions().keys()],
		}),
		close() {
			unlisten();
			clearInterval(timer);
		},
	};
}

const optional = <Value, Result>(value: Value | undefined, map: (value: Value) => Result): Result | undefined =>
	value === undefined ? undefined : map(value);
