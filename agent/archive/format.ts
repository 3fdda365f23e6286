export const metadataName = '.metadata';
export const dumpName = 'db/db.backup';
export const treeName = 'tree/';

/** Bytes of `.metadata`. */
export const metadataLimit = 64 * 1024;

const hexPair = '[0-9a-fA-F]{2}';
const uuid = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';

/** Below `tree/`: `0d/3e/0d3e301f-….` */
export const isTreeFile = (path: string): boolean => new RegExp(`^${hexPair}/${hexPair}/${uuid}$`).test(path);

export const isTreeFolder = (path: string): boolean => new RegExp(`^(?:${hexPair}(?:/${hexPair})?)?/?$`).test(path);

/** `files_and_database-shop-app-202611211430.tar.gz`; the time is that of the point, in UTC. */
export function archiveName(target: string, time: Date): string {
	const stamp = time.toISOString().replaceAll(/\D/g, '').slice(0, 12);
	return `files_and_database-${target.replaceAll(/[^\w.-]+/g, '-')}-${stamp}.tar.gz`;
}
