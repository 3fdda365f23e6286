/** What each sort of worker may do, beyond what any process may: no more than its work takes. */
import type {WorkerMount} from './worker-mounts.ts';

/**
 * What the repository worker needs: to read everybody's files, and to open a SQLite database that belongs to another user (SQLite
 * gives the `-wal` and `-shm` that it makes to the database's owner); to write, owners, modes and file capabilities too; and devices where whole volumes are put back.
 */
const fileCapabilities = {
	read: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN'],
	/** btrfs makes a snapshot of a folder for its owner alone, or for who may do what owners may. */
	snapshot: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER'],
	write: ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP'],
	/** Nothing that an application has: what lies beside it. */
	'let go': ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP'],
	'write all': ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP', 'MKNOD'],
};

/** What a worker does with files. */
export type FileUse = keyof typeof fileCapabilities;

/** Whether what the application has changes under it. */
export const isWriting = (use: FileUse): boolean => use === 'write' || use === 'write all';

/** Extended attributes that the system keeps for itself (`trusted.*`, `security.*`) are seen, and set, by nobody else. */
export const capabilitiesFor = (use: FileUse, mounts: readonly WorkerMount[]): string[] => [
	...fileCapabilities[use],
	...(mounts.some(({isAdministered}) => isAdministered) ? ['SYS_ADMIN'] : []),
];

/** What it takes to enter another container's file system as its user. */
export const dumpCapabilities = ['SYS_PTRACE', 'SYS_CHROOT', 'SETUID', 'SETGID', 'DAC_READ_SEARCH', 'KILL'];

/** What it takes to run psql as nobody, and to end it. */
export const clientCapabilities = ['SETUID', 'SETGID', 'KILL'];
