/**
 * A source that is put back. Each kind has one factory that returns these verbs. The verbs of a restore are called in this order, and `close` always:
 *
 *     load → check → ready → keep → swap → close
 *
 * What a restore makes and replaces is in its *replacement*, which is in the journal before anything is touched: so `rollBack` and
 * `release` need nothing else, and work after the agent was killed between any two steps.
 */
import * as z from 'zod';
import type {Tolerated} from '../../base/results.ts';
import type {WorkerMount} from '../../docker/worker-mounts.ts';
import type {ManifestSource} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import type {PlannedSource, SourceContext} from './source.ts';

/** One source of a point, and where it belongs now. */
export type RestoringSource<Planned extends PlannedSource = PlannedSource> = Planned & {
	/** That it is a source of: a project is restored with several. */
	readonly target: string;
	/** Of the manifest: the snapshot, its path in there, the details. */
	readonly stored: ManifestSource;
	/** Of a tree of files: only these files and folders, from its root. None: all of it. */
	readonly paths?: readonly string[] | undefined;
	/** Why it is written over what is live, while its application stands still. Undefined where it is loaded beside it, and of what is never written over. */
	readonly inPlace?: string | undefined;
	/** Must return true in what was loaded. */
	readonly drillSql?: string | undefined;
	/** The name that it gets, beside what is live. Nothing is replaced then. */
	readonly into?: string | undefined;
};

/** `worker` may write. */
export interface RestoreContext extends SourceContext {
	/** restic on the repository that what is overwritten goes to; it may be another one. Undefined where none can be written, which was acknowledged. */
	keeper: Pick<RestoreContext, 'restic' | 'resticInto'> | undefined;
	/** A place where restic's output goes to a file of the worker, instead of through the agent. */
	resticInto: (file: string) => Restic;
	/** Writes the replacement to the journal: on disk when it returns. */
	remember: <Old extends Replaced>(replacement: Old) => void;
	/** Errors that loading went on after: told, and part of the result. */
	tolerate: (tolerated: Tolerated) => void;
}

export const describeTolerated = ({source, what, count}: Tolerated): string =>
	`\`${source}\`: ${count === 1 ? 'an error was' : `${count} errors were`} tolerated: ${what}`;

/** As the worker sees it. */
export const replacedMount: z.ZodType<WorkerMount> = z.object({
	type: z.enum(['volume', 'bind']),
	from: z.string(),
	to: z.string(),
	readOnly: z.boolean(),
	subpath: z.string().optional(),
	isAdministered: z.boolean().optional(),
	folders: z.array(z.object({in: z.string(), path: z.string()})).optional(),
});

/** What the journal holds of every source that is restored; each kind adds its own. A schema, because the journal outlives the program. */
export const replaced = z.object({
	kind: z.string(),
	source: z.string(),
	/** Absent where it is that of the run. */
	target: z.string().optional(),
	/** What a worker needs to put it back. */
	mount: replacedMount.optional(),
	/** The snapshot of what was there, where that is overwritten; null until there is one. */
	safety: z.string().nullish(),
	/** It was, or is about to be, overwritten, and nothing of it is kept. */
	unkept: z.boolean().optional(),
	/** It has a name of its own: there was nothing to replace. */
	beside: z.boolean().optional(),
	/** Holdfast's own folders in its mount, from the root, which were left alone. */
	spared: z.array(z.string()).readonly().optional(),
	/** False until its swap begins, and again when it is put back: nothing of it is in what is live. Absent in older journals: something may be. */
	touched: z.boolean().optional(),
});

export type Replaced = z.infer<typeof replaced>;

/** Tells the replacements of a run apart. */
export const keyOf = ({target = '', source}: Pick<Replaced, 'target' | 'source'>): string => `${target} ${source}`;

/** In the place of what it was before. */
export const withReplaced = (all: readonly Replaced[], replacement: Replaced): Replaced[] =>
	all.map(other => (keyOf(other) === keyOf(replacement) ? {...replacement, touched: other.touched} : other));

/** How the run of `runTarget`, which may be a project, names a source. */
export const subjectOf = ({target, name}: {target?: string | undefined; name: string}, runTarget: string): string =>
	target === undefined || target === runTarget ? name : `${target} ${name}`;

export interface Restoring {
	readonly name: string;
	/** The target runs. Loads beside what is live, and makes sure that nothing is missing. */
	load: () => Promise<void>;
	/** The target runs. What was loaded is what its labels ask for. @returns what was found, for people */
	check?: () => Promise<string[]>;
	/** The target runs, and the stop is next: starts what takes time to start. */
	ready?: () => Promise<void>;
	/** The dependents are stopped. Keeps what `swap` overwrites. */
	keep: () => Promise<void>;
	/** The dependents are stopped. What was loaded takes the place of what is live. */
	swap: () => Promise<void>;
	/** Lets go of processes. Never throws. */
	close: () => Promise<void>;
}

/** What `rollBack` and `release` work with. `container` is the one of a source now; it may have been recreated since. */
export interface UndoContext
	extends Pick<RestoreContext, 'target' | 'engine' | 'worker' | 'restic' | 'resticInto' | 'staging' | 'signal' | 'tell' | 'remember'> {
	/** The swap may have stopped half way: what is let go must not be all that there is. */
	isHalf?: boolean | undefined;
	/** Takes what need not be done before the application runs again. It is done once more after the agent was killed. */
	later: (work: () => Promise<void>) => void;
	container: (source: string) => {id: string; name: string};
}

/**
 * For what a restore did not begin to swap: nothing was overwritten. Its safety snapshot must not be put back, because the application
 * may have written since.
 */
export const untouched = <Old extends Replaced>(replacement: Old): Old =>
	'safety' in replacement ? {...replacement, safety: null, unkept: undefined} : replacement;

export const isUntouched = ({touched}: Pick<Replaced, 'touched'>): boolean => touched === false;
