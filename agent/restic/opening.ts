/** The repository itself: which one it is, its keys, and making a new one. */
import {checkId, initLike} from './argv.ts';
import type {Caller} from './call.ts';
import type {Locking} from './locking.ts';
import {configContent, keyList, versionContent} from './messages.ts';
import {folderOf, type Repository} from './repository.ts';
import type {Opening} from './restic.ts';

export const opening = ({ask}: Caller, {patiently}: Locking, repository: Repository): Opening => ({
	version: async () => versionContent.parse(JSON.parse(await ask({action: 'version', arguments: ['version']}))).version,
	id: async (signal, key) =>
		configContent.parse(JSON.parse(await ask({action: 'opening', arguments: ['cat', '--no-lock', '--', 'config'], signal, key}))).id,
	async keys(key) {
		return keyList.parse(JSON.parse(await ask({action: 'listing keys', arguments: ['key', 'list', '--no-lock'], key})));
	},
	async removeKey(id, key) {
		await ask({action: `removing key ${id}`, arguments: patiently(['key', 'remove', '--', checkId(id)]), key, plain: true});
	},
	isEmpty: async key => (await ask({action: 'listing packs', arguments: ['list', '--no-lock', '--', 'packs'], key})).trim() === '',
	async init(like) {
		const arguments_ = like === undefined ? ['init'] : initLike;
		await ask({action: 'making a new repository', arguments: arguments_, from: like, sole: folderOf(repository)});
	},
});
