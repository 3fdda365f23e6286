/** The API as typed calls: what the command line and the bot hold instead of an agent. */
import type {IncomingMessage} from 'node:http';
import type {Readable} from 'node:stream';
import {json} from 'node:stream/consumers';
import type {AuditEntry, AuditOutcome, AuditView} from '../../base/audit.ts';
import type {RunEvent} from '../../base/events.ts';
import type {Difference, DiffRequest, DumpRequest, FindRequest, Found, Listing, ListRequest} from '../../base/shapes/browsing.ts';
import type {Kept, Kit} from '../../base/shapes/kit.ts';
import type {Unlocked} from '../../base/shapes/locks.ts';
import type {ForeignView, PointView, RetentionView, Taken} from '../../base/shapes/points.ts';
import type {RestorePlan, RestoreRequest} from '../../base/shapes/restores.ts';
import type {ExportRequest, ImportRequest, RunView} from '../../base/shapes/runs.ts';
import type {Finding, NoPlan, ProjectLabels, StatusView, TargetView} from '../../base/shapes/targets.ts';
import {away, createAsking, refusal} from './asking.ts';
import {readEvents} from './event-reader.ts';
import type {BackupTargets, DrillTargets, Health, PlanView, Refusal, Started, WantedCopies} from './wire.ts';

export interface About {
	version: string;
	/** The name under which it files. */
	host?: string | undefined;
	/** Its id. */
	agent?: string | undefined;
	/** By its clock, ISO 8601. */
	time?: string | undefined;
}

export interface Client {
	/** Where the agent is. */
	readonly url: string;
	version: () => Promise<string>;
	/** What the agent says of itself; one of an older version does not say all of it. */
	about: () => Promise<About>;
	targets: () => Promise<TargetView[]>;
	/** @throws {NotFoundError} */
	labels: (project: string, from?: string) => Promise<ProjectLabels>;
	/** @throws {NotFoundError} */
	plan: (target: string) => Promise<PlanView>;
	plans: () => Promise<Array<PlanView | NoPlan>>;
	status: () => Promise<StatusView[]>;
	/** @throws {RepositoryError} */
	points: (target?: string, from?: string) => Promise<PointView[]>;
	foreign: (from?: string) => Promise<ForeignView[]>;
	/** One answer a copy, in their order. */
	copy: (copies: WantedCopies, trigger: string) => Promise<Array<Started | Refusal>>;
	runs: (options?: {target?: string | undefined; limit?: number | undefined}) => Promise<RunView[]>;
	/** @throws {NotFoundError} */
	run: (run: string) => Promise<RunView>;
	/**
	 * All events of a run, until `finished`. Reconnects when the connection drops.
	 * @throws {NotFoundError}
	 * @throws {RunError} when the agent is away for more than 30 s
	 */
	follow: (run: string, signal: AbortSignal) => AsyncGenerator<RunEvent>;
	/** One answer a target, in their order; a target that is refused does not keep the others. */
	backup: (targets: BackupTargets, trigger: string) => Promise<Array<Started | Refusal>>;
	/** One answer a target, in their order. @throws {NotFoundError | UsageError | BusyError} for a single one that is refused */
	drill: (request: DrillTargets, trigger: string) => Promise<Array<Started | Refusal>>;
	/** @throws {NotFoundError | UsageError} */
	planRestore: (request: RestoreRequest) => Promise<RestorePlan>;
	/** Gives the run's id. @throws {NotFoundError | UsageError | BusyError} */
	restore: (request: RestoreRequest) => Promise<string>;
	/** Give the id of the run that does it. @throws {NotFoundError | UsageError | BusyError} */
	undoRestore: (run: string, trigger: string) => Promise<string>;
	finishRestore: (run: string, trigger: string, options?: {force?: boolean | undefined}) => Promise<string>;
	/** @throws {RepositoryError} */
	planPrune: () => Promise<RetentionView[]>;
	/** Give the run's id. @throws {BusyError | RepositoryError} */
	prune: (trigger: string) => Promise<string>;
	check: (readData: string | null, trigger: string) => Promise<string>;
	/** @throws {NotFoundError} */
	acceptSizes: (target: string) => Promise<{target: string; point: string}>;
	/** @throws {NotFoundError | UsageError} */
	adopt: (agent: string, options: {force: boolean}) => Promise<Taken>;
	/** @throws {NotFoundError | UsageError} */
	move: (from: string, to: string) => Promise<Taken>;
	/** @throws {NotFoundError | UsageError} */
	forget: (target: string) => Promise<{target: string}>;
	/** Full of secrets. */
	kit: () => Promise<Kit>;
	kitKept: () => Promise<Kept | null>;
	keepKit: () => Promise<Kept>;
	/** @throws {RepositoryError} */
	unlock: () => Promise<Unlocked>;
	/** @throws {NotFoundError | UsageError} */
	export: (request: ExportRequest, signal?: AbortSignal) => Promise<Download>;
	/** @throws {NotFoundError | UsageError} */
	list: (request: ListRequest) => Promise<Listing>;
	/** @throws {NotFoundError | UsageError} */
	find: (request: FindRequest) => Promise<Found>;
	/** @throws {NotFoundError} */
	diff: (request: DiffRequest) => Promise<Difference>;
	/** @throws {NotFoundError | UsageError} */
	dump: (request: DumpRequest, signal?: AbortSignal) => Promise<Download>;
	/** Gives the run's id when the archive was taken; the run goes on. @throws {NotFoundError | UsageError | BusyError} */
	import: (request: Omit<ImportRequest, 'body'>, body: Readable, signal?: AbortSignal) => Promise<string>;
	/** @throws {NotFoundError | UsageError} */
	cancel: (run: string) => Promise<void>;
	doctor: () => Promise<Finding[]>;
	/** Gives the entry's id. @throws {BusyError} when its reference was used before */
	recordAudit: (entry: AuditEntry) => Promise<number>;
	completeAudit: (id: number, outcome: AuditOutcome) => Promise<void>;
	audit: (options?: {subject?: string | undefined; limit?: number | undefined}) => Promise<AuditView[]>;
	notes: () => Promise<Record<string, string>>;
	/** `null` removes it. */
	saveNote: (key: string, note: string | null) => Promise<void>;
	health: (signal?: AbortSignal) => Promise<Health>;
}

export interface Download {
	/** As the file is to be called. */
	name: string;
	point: string;
	/** Breaks with an error when it does not come whole. */
	stream: Readable;
}

export interface ClientOptions {
	/** `http://127.0.0.1:9797` */
	url: string;
	token: string;
	/** How long `follow` bears an agent that is away, and a connection that is silent. */
	goneMs?: number | undefined;
	silenceMs?: number | undefined;
	/** How long the answer may take to what an agent knows without asking its repository. */
	answerMs?: number | undefined;
}

export function createClient({url, token, goneMs, silenceMs, answerMs}: ClientOptions): Client {
	const {get, post, known, tell, move, send} = createAsking({url, token, answerMs});
	const runPath = (run: string) => `runs/${encodeURIComponent(run)}`;

	return {
		url,
		version: async () => (await known<{version: string}>('version')).version,
		about: () => known('version'),
		targets: () => known('targets'),
		labels: (project, from) => get('labels', {project, from}),
		plan: target => get('plan', {target}),
		plans: () => get('plan'),
		status: () => known('status'),
		points: (target, from) => get('points', {target, from}),
		foreign: from => get('foreign', {from}),
		copy: async (copies, trigger) => (await post<{runs: Array<Started | Refusal>}>('copy', {...copies, trigger})).runs,
		runs: ({target, limit} = {}) => known('runs', {target, limit}),
		run: run => known(runPath(run)),
		follow: (run, signal) =>
			readEvents({
				open: (lastId, signal) => send(`/api/v1/${runPath(run)}/events`, {signal, headers: lastId ? {'Last-Event-ID': lastId} : {}}),
				refusal,
				signal,
				url,
				goneMs,
				silenceMs,
			}),
		backup: async (targets, trigger) => (await post<{runs: Array<Started | Refusal>}>('backup', {...targets, trigger})).runs,
		drill: async (request, trigger) => (await post<{runs: Array<Started | Refusal>}>('drill', {...request, trigger})).runs,
		planRestore: request => post('restore/plan', request),
		restore: async request => (await post<{run: string}>('restore', request)).run,
		undoRestore: async (run, trigger) => (await post<{run: string}>('restore/undo', {run, trigger})).run,
		finishRestore: async (run, trigger, {force} = {}) =>
			(await post<{run: string}>('restore/finish', {run, trigger, ...(force && {force})})).run,
		planPrune: () => get('prune/plan'),
		prune: async trigger => (await post<{run: string}>('prune', {trigger})).run,
		check: async (readData, trigger) => (await post<{run: string}>('check', {trigger, readData})).run,
		acceptSizes: target => post('prune/accept', {target}),
		adopt: (agent, {force}) => post('adopt', {agent, force}),
		move: (from, to) => post('move', {from, to}),
		forget: target => post('forget', {target}),
		kit: () => get('kit'),
		kitKept: async () => (await known<{kept: Kept | null}>('kit/kept')).kept,
		keepKit: () => post('kit/kept', {trigger: 'cli'}),
		unlock: () => post('unlock'),
		async export({target, point, only}, signal) {
			return downloadOf(await move('export', {method: 'GET', query: {target, point}, only, signal}));
		},
		list: request => get('ls', {...request}),
		find: request => get('find', {...request}),
		diff: ({points: [old, recent], ...rest}) => get('diff', {...rest, old, new: recent}),
		dump: async (request, signal) => downloadOf(await move('dump', {method: 'GET', query: {...request}, signal})),
		async import({target, only, file, trigger}, body, signal) {
			const answer = await move('import', {method: 'POST', query: {target, file, trigger}, only, body, signal});
			return ((await json(answer)) as {run: string}).run;
		},
		cancel: async run => {
			await post(`${runPath(run)}/cancel`);
		},
		doctor: () => get('doctor'),
		recordAudit: async entry => (await tell<{id: number}>('audit', entry)).id,
		completeAudit: async (id, outcome) => {
			await tell(`audit/${id}`, outcome);
		},
		audit: ({subject, limit} = {}) => known('audit', {subject, limit}),
		notes: () => known('notes'),
		saveNote: async (key, note) => {
			await tell('notes', {key, note});
		},
		async health(signal) {
			const response = await send('/healthz', signal ? {signal} : {}).catch(error => {
				throw away(url, error);
			});
			return (await response.json()) as Health;
		},
	};
}

function downloadOf(answer: IncomingMessage): Download {
	const {'content-disposition': disposition = '', 'x-holdfast-point': point = ''} = answer.headers;
	return {name: /filename="([\w.-]+)"/.exec(disposition)?.[1] ?? 'download', point: String(point), stream: answer};
}
