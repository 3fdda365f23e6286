/** A repository: where it is, what opens it, and what may be done in it. */
import {isReadOnly} from '../../base/folder.ts';

/** `append-only`: what is there stays, whatever an agent that was taken over wants; removing is somebody else's. */
export type Access = 'full' | 'append-only' | 'read-only';

/** Where snapshots go, and the secrets that open it. */
export interface Repository {
	/** A name for people and metrics: `primary`, or a copy's name. */
	name: string;
	/** As in `RESTIC_REPOSITORY`. May hold secrets: never printed, see `publicLocation`. */
	location: string;
	/** Everything that restic needs in its environment: `RESTIC_PASSWORD`, `AWS_…`. Never in argv. */
	env: Readonly<Record<string, string>>;
	/** Extended options of restic, as `sftp.args`; they hold no secret. */
	options?: Readonly<Record<string, string>> | undefined;
	/** KiB a second, of each restic; undefined: no limit. */
	limitUpload?: number | undefined;
	limitDownload?: number | undefined;
	/** As a person said it. */
	access?: Access | undefined;
	/** In the agent and in workers alike. */
	cacheDirectory: string;
	/** Holdfast made the password itself: 256 bits at random. */
	isPasswordGenerated?: boolean | undefined;
	/** Missing where no key file can be written: only a folder has one. */
	quickKey?: QuickKey | undefined;
}

/** A key that costs nothing to open: `quick-key.ts`. */
export interface QuickKey {
	/** The id of a key that the password is known to open; undefined where there is none. */
	hint: () => string | undefined;
	/** Looks for one. Never rejects. */
	find: () => Promise<void>;
	/**
	 * Makes one where that is allowed and possible, and removes the one that this agent made for another password. Only called when the repository
	 * was opened with the password. Never rejects: without it everything works, and takes longer.
	 */
	ensure: () => Promise<void>;
}

/** Where it is, when it is a folder; undefined where a network leads to it. */
export const folderOf = ({location}: Pick<Repository, 'location'>): string | undefined =>
	location.startsWith('/') ? location : location.startsWith('local:') ? location.slice('local:'.length) : undefined;

export const accesses: readonly Access[] = ['full', 'append-only', 'read-only'];

/** Undefined: nobody said it, and it looks as if anything may be done. */
export function accessOf(repository: Pick<Repository, 'location' | 'access'>): Access | undefined {
	const folder = folderOf(repository);
	return repository.access ?? (folder !== undefined && isReadOnly(folder) ? 'read-only' : undefined);
}
