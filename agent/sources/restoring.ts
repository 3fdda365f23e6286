/**
 * A source that is put back. Each kind is one file with one factory; `restoring-table.ts` lists them all. The verbs of a restore are called
 * in this order, and `close` always:
 *
 *     load → check → keep → swap → close
 *
 * What a restore makes and replaces is in its *replacement*, which is in the journal before anything is touched: so `rollBack` and
 * `release` need nothing else, and work after the agent was killed between any two steps.
 */
import {basename} from 'node:path/posix';
import type {Tolerated} from '../../base/results.ts';
import type {WorkerMount} from '../../docker/worker.ts';
import type {ManifestSource} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import {restoreFiles} from './kept-names.ts';
import type {PlannedSource} from './kind.ts';
import type {ExternalServer, Inside} from './postgres/plan-external.ts';
import type {SourceContext} from './source.ts';

/** One source of a point, and where it belongs now. */
export type RestoringSource = PlannedSource & {
	/** That it is a source of: a project is restored with several. */
	target: string;
	/** Of the manifest: the snapshot, its path in there, the details. */
	stored: ManifestSource;
	/** Of a volume: only these files and folders, from the mount's root. None: all of it. */
	paths?: readonly string[] | undefined;
	/** SQL labels of its service. */
	beforeSql?: string | undefined;
	afterSql?: string | undefined;
	/** Of a Postgres database: must return true in what was loaded. */
	drillSql?: string | undefined;
	/** Of a Postgres database: the name that it gets, beside the live ones. Nothing is replaced then. */
	into?: string | undefined;
};

/** `worker` may write. */
export interface RestoreContext extends SourceContext {
	/** restic on the repository that what is overwritten goes to; it may be another one. */
	keeper: Pick<RestoreContext, 'restic' | 'resticInto'>;
	/** A place where restic's output goes to a file of the worker, instead of through the agent. */
	resticInto: (file: string) => Restic;
	/** Writes the replacement to the journal: on disk when it returns. */
	remember: (replacement: Replacement) => void;
	/** Errors that are known to do no harm: told, and part of the result. */
	tolerate: (tolerated: Tolerated) => void;
}

/** `target` is absent where it is that of the run. */
export type Replacement = {
	target?: string | undefined;
} /** `old` is null where there was no database of that name; `oid` is that of `fresh`, under whichever name, once it was made. */ & (
	| {
			kind: 'postgres';
			source: string;
			database: string;
			fresh: string;
			oid: string | null;
			old: string | null;
			user?: string | undefined;
			/** Where the server is, if not in the container. */
			external?: ExternalServer | undefined;
			/** What labels say of the server in the container. */
			inside?: Inside | undefined;
			/** Under a name of its own: there was nothing to replace. */
			beside?: boolean | undefined;
	  }
	/** Paths as the worker sees them. `old` may have a `-wal`, `-shm` and `-journal` beside it, or only a `-none` where there was no database. */
	| {kind: 'sqlite'; source: string; mount: WorkerMount; file: string; fresh: string; old: string}
	/** `safety` is null until there is a snapshot of what was there. `exclude`: what is neither written nor removed, from the mount's root. */
	| {kind: 'volume'; source: string; mount: WorkerMount; safety: string | null; exclude: readonly string[]}
	/** Single files of a volume, kept beside the new ones. Paths of `mount` and `scratch` as the worker sees them, `paths` from the mount's root. */
	| {kind: 'files'; source: string; mount: WorkerMount; scratch: string; run: string; paths: readonly string[]}
	| {kind: 'tar'; source: string; path: string; safety: string | null}
);

/** Tells the replacements of a run apart. */
export const keyOf = ({target = '', source}: Pick<Replacement, 'target' | 'source'>): string => `${target} ${source}`;

/** How the run of `runTarget`, which may be a project, names a source. */
export const subjectOf = ({target, name}: {target?: string | undefined; name: string}, runTarget: string): string =>
	target === undefined || target === runTarget ? name : `${target} ${name}`;

export interface Restoring {
	readonly name: string;
	/** The target runs. Loads beside what is live, and makes sure that nothing is missing. */
	load: () => Promise<void>;
	/** The target runs. What was loaded is what its labels ask for. @returns what was found, for people */
	check?: () => Promise<string[]>;
	/** The dependents are stopped. Keeps what `swap` overwrites. */
	keep: () => Promise<void>;
	/** The dependents are stopped. What was loaded takes the place of what is live. */
	swap: () => Promise<void>;
	/** Lets go of processes. Never throws. */
	close: () => Promise<void>;
}

/** What `rollBack` and `release` work with. `container` is the one of a source now; it may have been recreated since. */
export interface UndoContext
	extends Pick<RestoreContext, 'target' | 'engine' | 'worker' | 'restic' | 'resticInto' | 'staging' | 'signal' | 'tell'> {
	container: (source: string) => {id: string; name: string};
}

/**
 * For a restore that did not begin to swap: nothing was overwritten. Its safety snapshots must not be put back, because the application
 * may have written since.
 */
export const untouched = (replacement: Replacement): Replacement =>
	'safety' in replacement ? {...replacement, safety: null} : replacement;

/** How a person finds what was replaced. Undefined where nothing was. */
export function describeReplacement(replacement: Replacement, runTarget: string): string | undefined {
	const source = subjectOf({target: replacement.target, name: replacement.source}, runTarget);
	switch (replacement.kind) {
		case 'postgres':
			return replacement.old === null ? undefined : `${source}: database ${replacement.old}`;
		case 'sqlite':
			return `${source}: file ${replacement.old.slice(replacement.old.lastIndexOf('/') + 1)}`;
		case 'files':
			return `${source}: ${replacement.paths.map(path => restoreFiles.old(basename(path), replacement.run)).join(', ')}`;
		default:
			return replacement.safety === null ? undefined : `${source}: snapshot ${replacement.safety.slice(0, 8)}`;
	}
}
