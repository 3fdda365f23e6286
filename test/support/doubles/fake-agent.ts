/** An agent made of memory: tests tell its runs what to tell. */
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import type {Agent} from '../../../agent/agent.ts';
import type {Plan} from '../../../agent/plan/planned.ts';
import type {AuditEntry, AuditView} from '../../../base/audit.ts';
import {BusyError, NotFoundError, UsageError} from '../../../base/errors.ts';
import type {RunEvent, Told} from '../../../base/events.ts';
import {
	type BackupResult,
	type CheckResult,
	type CopyResult,
	type DrillResult,
	finishedAs,
	type Operation,
	type PruneResult,
	type RestoreResult,
	type RunResult,
	repositoryTarget,
} from '../../../base/results.ts';
import type {Difference, Found, SourceDifference} from '../../../base/shapes/browsing.ts';
import type {Kept, Kit} from '../../../base/shapes/kit.ts';
import type {Unlocked} from '../../../base/shapes/locks.ts';
import type {ForeignView, PointView, RetentionView} from '../../../base/shapes/points.ts';
import type {RestorePlan} from '../../../base/shapes/restores.ts';
import type {RunView} from '../../../base/shapes/runs.ts';
import type {
	Finding,
	GoneTarget,
	MovedTarget,
	OtherAgent,
	Scheduled,
	StatusView,
	TargetView,
	Unprotected,
} from '../../../base/shapes/targets.ts';
import {overviewWith} from './overview.ts';

export interface FakeAgent extends Agent {
	/** What it shows; tests change it. */
	readonly has: {
		targets: TargetView[];
		plans: Map<string, Plan>;
		status: StatusView[];
		points: PointView[];
		foreign: ForeignView[];
		copies: string[];
		findings: Finding[];
		retentions: RetentionView[];
		kitKept: Kept | null;
		unlocked: Unlocked;
		scheduled: Scheduled[];
		unprotected: Unprotected[];
		gone: GoneTarget[];
		moved: MovedTarget[];
		others: OtherAgent[];
		adopted: Array<{from: string; until: string}>;
		health: {healthy: boolean; problems: string[]};
		found: Found;
		differences: SourceDifference[];
		/** What an export or a dump sends. */
		archive: () => Readable;
		/** What an import got. */
		received: string;
	};
	/** Every call that asked for a run or an end of one, in order. */
	readonly calls: Array<Record<string, unknown>>;
	/** How many iterables of `follow` are being read. */
	readonly followers: () => number;
	tell: (run: string, event: Told) => void;
	finish: (run: string, result?: Partial<RunResult>) => void;
	/** Called with each new run's id: a run that plays itself. */
	onRun: (run: string, target: string) => void;
	/** A target whose backup is refused with this. */
	readonly refuses: Map<string, Error>;
}

interface FakeRun {
	view: RunView;
	events: RunEvent[];
	waiting: Set<() => void>;
	finished: PromiseWithResolvers<RunResult>;
}

const kitOfFake: Omit<Kit, 'kept'> = {
	host: 'nas',
	agent: 'a1b2c3',
	version: '1.0.0',
	madeAt: '2026-11-03T12:00:00.000Z',
	repositories: [
		{
			name: 'primary',
			isFolder: true,
			environment: {RESTIC_REPOSITORY: '/repository', RESTIC_PASSWORD: "it's <secret>"},
			options: {},
			files: [
				{path: '/root/.ssh/id', text: '-----BEGIN <KEY>-----\n\tline\n'},
				{path: '/etc/store.p12', base64: 'AAEC'.repeat(40)},
				{path: '/etc/ca.pem', bytes: 200_000},
				{path: '/run/gone', missing: 'ENOENT'},
			],
		},
	],
};

export function createFakeAgent(): FakeAgent {
	const runs = new Map<string, FakeRun>();
	let following = 0;
	/** By every run, and who waits for more. */
	const told: RunEvent[] = [];
	const watching = new Set<() => void>();

	const find = (run: string): FakeRun => {
		const found = runs.get(run);
		if (!found) {
			throw new NotFoundError(`there is no run \`${run}\``);
		}

		return found;
	};
	const begin = (target: string, operation: Operation, trigger: string): FakeRun => {
		const run = `run-${runs.size + 1}`;
		const view: RunView = {
			run,
			target,
			operation,
			trigger,
			state: 'running',
			outcome: null,
			startedAt: at(Date.now()),
			durationSeconds: null,
			result: null,
		};
		const begun: FakeRun = {view, events: [], waiting: new Set(), finished: Promise.withResolvers()};
		runs.set(run, begun);
		agent.tell(run, {type: 'queued', operation, trigger});
		agent.onRun(run, target);
		return begun;
	};
	const target = (name: string): TargetView => {
		const found = agent.has.targets.find(({target}) => target === name);
		if (!found) {
			throw new NotFoundError(`there is no target \`${name}\``, {hint: '`holdfast targets` lists them'});
		}

		return found;
	};

	const agent: FakeAgent = {
		has: {
			plans: new Map(),
			status: [],
			points: [],
			foreign: [],
			copies: [],
			findings: [],
			retentions: [],
			unlocked: {removed: [], left: []},
			...overviewWith({kitKept: {at: at(0), by: 'cli'}}),
			targets: [],
			health: {healthy: true, problems: []},
			archive: () => Readable.from(['archive'], {objectMode: false}),
			received: '',
			found: {found: [], isCut: false},
			differences: [],
		},
		calls: [],
		refuses: new Map(),
		followers: () => following,
		onRun() {},
		tell(run, event) {
			const {view, events, waiting} = find(run);
			events.push({...event, run, target: view.target, at: Date.now()} as RunEvent);
			told.push(events.at(-1) as RunEvent);
			for (const wake of [...waiting, ...watching]) {
				wake();
			}
		},
		finish(run, result = {}) {
			const {view, finished} = find(run);
			const whole = {...resultOf(view), ...result} as RunResult;
			Object.assign(view, {state: 'finished', outcome: whole.outcome, durationSeconds: 1, result: whole});
			finished.resolve(whole);
			agent.tell(run, {type: 'finished', ...finishedAs(view.operation, whole)});
		},

		targets: async () => agent.has.targets,
		labels: async project => ({
			project,
			services: [
				{
					service: 'db',
					container: 'shop-db-1',
					labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'},
					why: ['PostgreSQL, by its process `postgres`'],
				},
			],
		}),
		async plans() {
			return agent.has.targets.map(({target: name}) => agent.has.plans.get(name) ?? {target: name, error: `\`${name}\` has problems`});
		},
		async plan(name) {
			const plan = agent.has.plans.get(target(name).target);
			if (!plan) {
				throw new UsageError(`\`${name}\` has problems`);
			}

			return plan;
		},
		planPrune: async () => agent.has.retentions,
		async prune(trigger) {
			agent.calls.push({prune: trigger});
			const {view, finished} = begin(repositoryTarget('primary'), 'prune', trigger);
			return {run: view.run, finished: finished.promise as Promise<PruneResult>};
		},
		async check(readData, trigger) {
			agent.calls.push({check: readData});
			const {view, finished} = begin(repositoryTarget('primary'), 'check', trigger);
			return {run: view.run, finished: finished.promise as Promise<CheckResult>};
		},
		async acceptSizes(name) {
			agent.calls.push({accept: name});
			return {target: target(name).target, point: 'run-0'};
		},
		async forget(name) {
			agent.calls.push({forget: name});
			return {target: name};
		},
		async adopt(name, {force}) {
			agent.calls.push({adopt: name, force});
			return {from: [name], targets: ['shop/db'], points: 3};
		},
		async move(from, to) {
			agent.calls.push({move: from, to});
			return {from: [from], targets: [to], points: 3};
		},
		kit: () => ({...kitOfFake, kept: agent.has.kitKept}),
		kitKept: () => agent.has.kitKept,
		keepKit(by) {
			agent.has.kitKept = {at: at(0), by};
			return agent.has.kitKept;
		},
		unlock: async () => agent.has.unlocked,
		status: async () => agent.has.status,
		async overview() {
			const targets = agent.has.targets.map(view => ({
				view,
				status: agent.has.status.find(({target}) => target === view.target) ?? statusView(view.target),
				quiesceLimitSeconds: 300,
				firstSeen: 0,
			}));
			const {scheduled, unprotected, gone, moved, others, adopted, kitKept} = agent.has;
			return overviewWith({targets, scheduled, unprotected, gone, moved, others, adopted, kitKept});
		},
		foreign: async () => agent.has.foreign,
		points: async name => agent.has.points.filter(point => name === undefined || point.target === name),
		copies: () => agent.has.copies,
		async copy(name, trigger) {
			if (!agent.has.copies.includes(name)) {
				throw new NotFoundError(`there is no copy \`${name}\``);
			}

			agent.calls.push({copy: name, trigger});
			const {view, finished} = begin(repositoryTarget(name), 'copy', trigger);
			return {run: view.run, finished: finished.promise as Promise<CopyResult>};
		},
		runs: ({target, operation, limit} = {}) =>
			[...runs.values()]
				.map(({view}) => view)
				.filter(view => (target === undefined || view.target === target) && (operation === undefined || view.operation === operation))
				.reverse()
				.slice(0, limit),
		run: run => find(run).view,
		async *follow(run, signal) {
			const {events, waiting} = find(run);
			following++;
			try {
				for (let index = 0; !signal.aborted; ) {
					const event = events[index];
					if (event) {
						index++;
						yield event;
						if (event.type === 'finished') {
							return;
						}
					} else {
						await woken(waiting, signal);
					}
				}
			} finally {
				following--;
			}
		},
		async *watch(signal) {
			for (let index = told.length; !signal.aborted; ) {
				const event = told[index];
				if (event) {
					index++;
					yield event;
				} else {
					await woken(watching, signal);
				}
			}
		},
		async backup(name, trigger, {cold} = {}) {
			agent.calls.push({backup: name, trigger, ...(cold && {cold})});
			const refusal = agent.refuses.get(name);
			if (refusal) {
				throw refusal;
			}

			target(name);
			if ([...runs.values()].some(({view}) => view.target === name && view.state !== 'finished')) {
				throw new BusyError(`\`${name}\` is busy with another run`);
			}

			const {view, finished} = begin(name, 'backup', trigger);
			return {run: view.run, finished: finished.promise as Promise<BackupResult>};
		},
		async drill({target: name, point, trigger}) {
			agent.calls.push({drill: name, point, trigger});
			const refusal = agent.refuses.get(name);
			if (refusal) {
				throw refusal;
			}

			const {view, finished} = begin(target(name).target, 'drill', trigger);
			return {run: view.run, finished: finished.promise as Promise<DrillResult>};
		},
		async planRestore(request): Promise<RestorePlan> {
			agent.calls.push({planRestore: request});
			const {target: name} = target(request.target);
			const point = agent.has.points.find(point => point.target === name && (request.point === 'latest' || request.point === point.point));
			if (!point) {
				throw new NotFoundError(`\`${name}\` has no restore point \`${request.point}\``);
			}

			const all = point.sources.map(({source}) => source);
			return {
				target: name,
				from: request.from ?? 'primary',
				point,
				points: [point],
				sources: request.only.length > 0 ? [...request.only] : all,
				storages: [
					{
						source: all[0] ?? '',
						storage: 'volume "data"',
						written: 3,
						removed: 12,
						mountedBy: [
							{container: 'shop-app-1', readWrite: true, stopped: true},
							{container: 'else-web-1', readWrite: false, stopped: false},
						],
					},
				],
				stop: ['shop-app-1'],
				hooks: [],
				into: request.into ?? null,
				warnings: [],
				acknowledge: null,
			};
		},
		async restore(request) {
			agent.calls.push({restore: request});
			const {view, finished} = begin(target(request.target).target, 'restore', request.trigger);
			return {run: view.run, finished: finished.promise as Promise<RestoreResult>};
		},
		async undoRestore(run, trigger) {
			agent.calls.push({undo: run});
			const {view, finished} = begin(find(run).view.target, 'restore', trigger);
			return {run: view.run, finished: finished.promise as Promise<RestoreResult>};
		},
		async finishRestore(run, trigger) {
			agent.calls.push({finish: run});
			const {view, finished} = begin(find(run).view.target, 'restore', trigger);
			return {run: view.run, finished: finished.promise as Promise<RestoreResult>};
		},
		async export(request) {
			agent.calls.push({export: request});
			const {target: name} = target(request.target);
			return {name: 'files_and_database-shop-app-202611031200.tar.gz', point: `${name}-1`, contentBytes: 7, stream: agent.has.archive()};
		},
		async list(request) {
			agent.calls.push({list: request});
			const entries = [{source: 'volume:/data', path: '/data/a.txt', type: 'file', size: 5, modified: at(0)}];
			return {target: target(request.target).target, point: 'point-1', time: at(0), entries, more: 2};
		},
		async find(request) {
			agent.calls.push({find: request});
			return agent.has.found;
		},
		async diff(request) {
			agent.calls.push({diff: request});
			const [from, to] = request.points.map(point => ({point, target: 'shop/app', time: at(0)})) as [Difference['from'], Difference['to']];
			return {from, to, sources: agent.has.differences};
		},
		async dump(request) {
			agent.calls.push({dump: request});
			return {name: 'a.txt', point: `${target(request.target).target}-1`, isTar: false, stream: agent.has.archive()};
		},
		async import({body, ...request}) {
			agent.calls.push({import: request});
			const {view, finished} = begin(target(request.target).target, 'import', request.trigger);
			const received = buffer(body).then(content => {
				agent.has.received = content.toString();
			});
			return {run: view.run, finished: finished.promise as Promise<BackupResult>, received};
		},
		async cancel(run) {
			const {view} = find(run);
			agent.calls.push({cancel: run});
			if (view.state === 'finished') {
				throw new UsageError(`run \`${run}\` is over`);
			}
		},
		doctor: async () => agent.has.findings,
		health: async () => agent.has.health,
		audit: createAudit(),
		...createNotes(),
		async close() {},
	};
	return agent;
}

function createAudit(): Agent['audit'] {
	const entries: Array<AuditEntry & AuditView> = [];
	return {
		record(entry) {
			if (entry.reference !== undefined && entries.some(({reference}) => reference === entry.reference)) {
				return undefined;
			}

			return entries.push({...entry, at: at(Date.now()), reason: entry.reason ?? null, run: null, outcome: null} as AuditEntry & AuditView);
		},
		complete(id, outcome) {
			Object.assign(entries[id - 1] ?? {}, outcome);
		},
		entries: ({subject, limit = 100} = {}) =>
			entries
				.filter(entry => subject === undefined || entry.subject === subject)
				.toReversed()
				.slice(0, limit),
	};
}

function createNotes(): Pick<Agent, 'notes' | 'saveNote'> {
	const notes = new Map<string, string>();
	return {
		notes: () => Object.fromEntries(notes),
		saveNote(key, note) {
			note === null ? notes.delete(key) : notes.set(key, note);
		},
	};
}

export const targetView = (target: string, rest: Partial<TargetView> = {}): TargetView => ({
	target,
	container: `${target.replace('/', '-')}-1`,
	state: 'running',
	sources: ['volume:/data'],
	quiesce: 'pause',
	schedule: '0 3 * * *',
	problems: [],
	...rest,
});

export const statusView = (target: string, rest: Partial<StatusView> = {}): StatusView => ({
	target,
	running: null,
	lastRun: null,
	lastSuccess: null,
	nextRun: null,
	lastDrill: null,
	lastDrillSuccess: null,
	nextDrill: null,
	problems: [],
	...rest,
});

const at = (time: number): string => new Date(time).toISOString();

const backedUp = ({run, target, startedAt}: RunView): BackupResult => ({
	run,
	target,
	outcome: 'success',
	point: run,
	startedAt,
	durationSeconds: 12.3,
	quiesceSeconds: 0.3,
	sources: [{source: 'volume:/data', outcome: 'success', snapshot: 'abcd', bytes: 5_000_000, addedBytes: 1000}],
});

const resultOf = (view: RunView): RunResult => {
	const {run, target, startedAt} = view;
	const maintained = {run, target, outcome: 'success' as const, startedAt, durationSeconds: 2};
	switch (view.operation) {
		case 'restore':
			return restored(view);
		case 'drill':
			return drilled(view);
		case 'prune':
			return {...maintained, removed: [{target: 'shop/db', point: 'run-0'}], held: [], bytes: 9_000_000};
		case 'copy':
			return {...maintained, durationSeconds: 12.3, copied: 2, removed: 1, pruned: false, points: 7};
		case 'check':
			return {...maintained, readData: '1/13'};
		default:
			return backedUp(view);
	}
};

const drilled = ({run, target, startedAt}: RunView): DrillResult => ({
	run,
	target,
	point: 'run-0',
	outcome: 'success',
	startedAt,
	durationSeconds: 9,
	sources: [{source: 'volume:/data', outcome: 'success', checks: ['3 files'], durationSeconds: 8}],
});

const restored = ({run, target}: RunView): RestoreResult => ({
	run,
	target,
	point: 'run-0',
	outcome: 'success',
	replaced: ['database metadb'],
	outageSeconds: 4,
});

async function woken(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
	const {promise, resolve} = Promise.withResolvers<void>();
	waiting.add(resolve);
	signal.addEventListener('abort', () => resolve(), {once: true});
	await promise;
	waiting.delete(resolve);
}
