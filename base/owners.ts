/** Owners that a file system refuses. Programs of workers have it, too: nothing of ours is imported here. */

/**
 * What network file systems, those of other systems and those of users say where an owner is set, by its code and in Go's words: who may own their
 * files is not for this machine to say.
 */
export const refusedOwners: Readonly<Record<string, string>> = {
	EPERM: 'operation not permitted',
	EACCES: 'permission denied',
	EINVAL: 'invalid argument',
	ENOTSUP: 'not supported',
	EOPNOTSUPP: 'operation not supported',
	ENOSYS: 'function not implemented',
};
