/** The results of runs. They are part of the contract, and of the database of runs. */
export type Operation = 'backup' | 'restore' | 'drill' | 'copy' | 'prune' | 'check' | 'import';

/** What a run about a repository has for its target: the primary, or a copy by its name. No container and no service can be called so. */
export const repositoryTarget = (repository: string): string => `repository:${repository}`;

export const repositoryOfTarget = (target: string): string => target.slice(repositoryTarget('').length);

export const isRepositoryTarget = (target: string): boolean => target.startsWith('repository:');

/** Who begins the run that puts back what a restore did that its agent did not survive: a success of it is none of the restore. */
export const rollBackTrigger = 'roll-back';

export type Outcome = 'success' | 'partial' | 'failed';

export interface SourceResult {
	/** As people write it: `postgres:metadb`, `db/volume:/data`. */
	source: string;
	outcome: 'success' | 'failed';
	snapshot: string | null;
	bytes: number;
	addedBytes: number;
	error?: string | undefined;
}

/** What `backup --json` prints. */
export interface BackupResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** The restore point's id (its run's id), where one was published. */
	point: string | null;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	/** Longest time that a container of the run was quiesced; 0 where none was. */
	quiesceSeconds: number;
	sources: SourceResult[];
	/** What the target has, and the point has not, because what would have to answer was stopped. The point is `partial` then. */
	absent?: Array<{source: string; why: string}> | undefined;
	/** What a person should look at whatever the outcome: a source that is much smaller than before, files of different moments, a slow start. */
	warnings?: string[] | undefined;
	error?: string | undefined;
}

/** For people: what the point lacks. Undefined: nothing. */
export const lackOf = ({absent = []}: Pick<BackupResult, 'absent'>): string | undefined =>
	absent.length === 0 ? undefined : `without ${absent.map(({source, why}) => `\`${source}\` (${why})`).join(', ')}`;

/** A point that lacks what rests, and nothing else is wrong: that it rests was told when it began to, so the point is no news. */
export const lacksOnly = (result: RunResult): boolean => 'absent' in result && lackOf(result) !== undefined && result.error === undefined;

/** What `restore --json` prints. */
export interface RestoreResult {
	run: string;
	target: string;
	point: string;
	outcome: Outcome;
	/** What was replaced and is kept until `restore finish`. */
	replaced: string[];
	/** The database that was made beside the live ones, where nothing was replaced. */
	into?: string | undefined;
	/** Errors that loading went on after. */
	tolerated?: Tolerated[] | undefined;
	outageSeconds: number;
	error?: string | undefined;
}

/** `what` is of the list in `agent/sources/postgres/tolerated.ts`, or says what could not be made as it was, and why. */
export interface Tolerated {
	source: string;
	what: string;
	count: number;
}

/** What one of the agents that share a repository does for all of them. */
export interface DoneBy {
	/** Its id, and the name under which it files. */
	agent: string;
	host: string;
	/** ISO 8601: when it ended well. */
	at: string;
}

/** What `prune --json` prints. */
export interface PruneResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	removed: Array<{target: string; point: string}>;
	/** Targets of which nothing may be removed for now. */
	held: Array<{target: string; reason: string}>;
	/** Size of the repository afterwards; null when it came not so far. */
	bytes: number | null;
	/** Another agent removed the data that nothing needs; this run only what its own rules keep no longer. */
	doneBy?: DoneBy | undefined;
	error?: string | undefined;
}

/** What `check --json` prints. */
export interface CheckResult {
	run: string;
	target: string;
	outcome: Outcome;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	/** Which part of the data was read and compared: `all`, `n/N`, or null: none. */
	readData: string | null;
	/** Another agent did it. */
	doneBy?: DoneBy | undefined;
	error?: string | undefined;
}

export interface DrilledSource {
	source: string;
	outcome: 'success' | 'failed';
	/** What was found, for people; empty where it failed. */
	checks: string[];
	durationSeconds: number;
	error?: string | undefined;
}

/** What `drill --json` prints. */
export interface DrillResult {
	run: string;
	target: string;
	/** `''` where none was found. */
	point: string;
	/** `success` only when every source of the point was restored and stood every check. */
	outcome: 'success' | 'failed';
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	sources: DrilledSource[];
	error?: string | undefined;
}

/** What `copy --json` prints. */
export interface CopyResult {
	run: string;
	/** `repository:` and the copy's name. */
	target: string;
	/** `success`: every point that belongs there is there. */
	outcome: Outcome;
	/** How many points this run brought there. */
	copied: number;
	/** How many points its policy removed there. */
	removed: number;
	/** The data that nothing needs any more was removed, too. */
	pruned: boolean;
	/** How many points are there now; null where that could not be found out. */
	points: number | null;
	/** ISO 8601. */
	startedAt: string;
	durationSeconds: number;
	error?: string | undefined;
}

export type RunResult = BackupResult | RestoreResult | DrillResult | PruneResult | CheckResult | CopyResult;

interface Results {
	backup: BackupResult;
	import: BackupResult;
	restore: RestoreResult;
	drill: DrillResult;
	copy: CopyResult;
	prune: PruneResult;
	check: CheckResult;
}

export type ResultOf<Of extends Operation> = Results[Of];

/** When what a run is about was done, in milliseconds since 1970: by another agent perhaps, before it. */
export const doneAt = (result: RunResult | null, endedAt: number): number =>
	result !== null && 'doneBy' in result && result.doneBy !== undefined ? Date.parse(result.doneBy.at) : endedAt;

/** A result with its operation: nobody guesses from its shape what it is. */
export type Finished = {[Of in Operation]: {operation: Of; result: Results[Of]}}[Operation];

/** Of a run and its record: null where it is of another operation, or has none yet. */
export function resultOf<Of extends Operation>(
	operation: Of,
	of: {operation: Operation; result: RunResult | null} | undefined,
): Results[Of] | null {
	return of?.operation === operation ? (of.result as Results[Of] | null) : null;
}

/** The pair of a run that is over. */
export const finishedAs = (operation: Operation, result: RunResult): Finished => ({operation, result}) as Finished;
