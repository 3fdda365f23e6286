/** Locks of the repository, as every door has them. */

/** A lock in the repository. */
export interface LockView {
	lock: string;
	host: string;
	pid: number;
	exclusive: boolean;
	/** ISO 8601; a live process refreshes its own every few minutes. */
	refreshedAt: string;
	ageSeconds: number;
	/** Whose it is, as far as it is known. */
	why: string;
}

/** What `unlock --json` prints. */
export interface Unlocked {
	removed: LockView[];
	left: LockView[];
	/** Why locks of the dead were left. */
	warning?: string;
}
