/** Snapshots that a file system makes of a folder, in the moment: what they are called, and where they are. */
import type {Place} from '../../base/command.ts';
import type {Restic} from '../restic/restic.ts';

/** In the agent's container and in its workers. A person puts a folder of the file system there of which snapshots are to be made. */
export const snapshotsFolder = '/snapshots';

/** What a run takes snapshots with. Missing where none may be made. */
export interface Snapshots {
	/** The containers, by id, whose files are taken in this way where their file system can. */
	of: ReadonlySet<string>;
	/** Shows one of the folder, by its name there, at a path of another worker; read-only. */
	open: (name: string, path: string) => Promise<{worker: Place; restic: Restic}>;
}

export const snapshotName = ({agent, run, index}: {agent: string; run: string; index: number}): string =>
	`holdfast-${agent}-${run}-${index}`;

/**
 * `sh -c SCRIPT PATH`: at once where the file system is mounted so that owners may (`user_subvol_rm_allowed`), and file by file elsewhere: 0.6 s for
 * 20,000 of them.
 */
export const removal = 'btrfs --quiet subvolume delete "$0" 2>/dev/null || exec rm -rf -- "$0"';

/** The run that took it; undefined for what is not this agent's. */
export function runOfSnapshot(name: string, agent: string): string | undefined {
	const prefix = `holdfast-${agent}-`;
	return name.startsWith(prefix) ? /^(.+)-\d+$/.exec(name.slice(prefix.length))?.[1] : undefined;
}
