/** What may be done in a repository: said by a person, or shown by its file system. */
import {isReadOnly} from '../../base/folder.ts';
import {type Access, folderOf, type Repository} from './restic.ts';

export const accesses: readonly Access[] = ['full', 'append-only', 'read-only'];

/** Undefined: nobody said it, and it looks as if anything may be done. */
export function accessOf(repository: Pick<Repository, 'location' | 'access'>): Access | undefined {
	const folder = folderOf(repository);
	return repository.access ?? (folder !== undefined && isReadOnly(folder) ? 'read-only' : undefined);
}
