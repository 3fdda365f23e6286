/** The repositories that there are: the primary, which runs write to, and its copies. Whoever needs one asks for it here, by name. */
import type {Place} from '../../base/command.ts';
import {NotFoundError, RepositoryError} from '../../base/errors.ts';
import {examineFolder, explainRefusal} from '../../base/folder.ts';
import {here} from '../../base/here.ts';
import {nearest} from '../../base/reading/nearest.ts';
import type {Copy} from '../config/copies.ts';
import {createRestic} from '../restic/create.ts';
import {ensureRepository, type KnownRepository} from '../restic/open.ts';
import {accessOf, folderOf, type Repository} from '../restic/repository.ts';
import type {Restic, ResticOptions} from '../restic/restic.ts';
import {settle} from '../restic/settle.ts';
import {createRepositoryDoor, type KnownRepositories, type RepositoryDoor} from './door.ts';

export interface NamedRepository extends RepositoryDoor {
	/** `primary`, or a copy's name. */
	name: string;
	repository: Repository;
	/** restic on it: here, or at another place. */
	restic: (place?: Place, options?: ResticOptions) => Restic;
}

export interface CopyRepository extends NamedRepository {
	copy: Copy;
	/** It was there before. */
	isKnown: () => boolean;
	/**
	 * Makes it like the primary where none was ever known; else opens it. `restic` is that of the place where points are copied.
	 * @throws {RepositoryError}
	 */
	ensure: (restic: Restic, signal?: AbortSignal) => Promise<void>;
}

export interface Repositories {
	primary: NamedRepository;
	/** As the configuration file orders them. */
	copies: readonly CopyRepository[];
	/** @throws {NotFoundError} */
	named: (name: string) => NamedRepository;
	/** @throws {NotFoundError} */
	copy: (name: string) => CopyRepository;
}

interface RepositoriesOptions {
	primary: Repository;
	copies: readonly Copy[];
	state: KnownRepositories;
}

export function createRepositories({primary, copies, state}: RepositoriesOptions): Repositories {
	const all = [primary, ...copies.map(({repository}) => repository)];

	/** One repository at two addresses: retention of the one would remove what the other keeps. */
	const distinct = (repository: Repository) => (id: string) => {
		const other = all.find(({location, name}) => name !== repository.name && state.knownRepository(location) === id);
		if (other !== undefined) {
			throw new RepositoryError('failed', `repository \`${repository.name}\` is the same as \`${other.name}\`: both have the id ${id}`, {
				hint: 'a copy needs a repository of its own, made by `holdfast copy`; correct its location',
			});
		}
	};

	const open = (repository: Repository, {allowInit}: {allowInit: boolean}): NamedRepository => {
		const restic = (place: Place = here, options?: ResticOptions) => createRestic(place, repository, options);
		const folder = folderOf(repository);
		const examine = () => (folder === undefined ? undefined : examineFolder(folder));
		const explain = () => (folder === undefined ? undefined : explainRefusal(folder));
		const opening = restic();
		const settling: KnownRepository['settle'] = async found => settle(opening, {...found, folder});
		const door = createRepositoryDoor({
			restic: opening,
			settle: settling,
			repository,
			state,
			allowInit,
			examine,
			explain,
			check: distinct(repository),
		});
		return {...door, name: repository.name, repository, restic};
	};

	const openCopy = (copy: Copy): CopyRepository => {
		const {repository} = copy;
		return {
			...open(repository, {allowInit: false}),
			copy,
			isKnown: () => state.knownRepository(repository.location) !== undefined,
			async ensure(restic, signal) {
				const knownId = state.knownRepository(repository.location);
				const like = {id: restic.id, init: async () => restic.init(primary)};
				const settling: KnownRepository['settle'] = async found => settle(restic, {...found, folder: folderOf(repository), signal});
				const mayRemove = accessOf(repository) === undefined || accessOf(repository) === 'full';
				const id = await ensureRepository({restic: like, settle: mayRemove ? settling : undefined, knownId, allowInit: true, signal});
				distinct(repository)(id);
				state.rememberRepository(repository.location, id);
			},
		};
	};

	const first = open(primary, {allowInit: true});
	const others = copies.map(openCopy);
	const copyNamed = (name: string) => others.find(other => other.name === name) ?? unknown(name, others);
	return {
		primary: first,
		copies: others,
		named: name => (name === first.name ? first : copyNamed(name)),
		copy: copyNamed,
	};
}

function unknown(name: string, copies: readonly CopyRepository[]): never {
	const names = copies.map(copy => copy.name);
	const meant = names.length === 0 ? undefined : nearest(name, names);
	throw new NotFoundError(`there is no copy \`${name}\``, {
		hint:
			names.length === 0
				? 'none is configured: docs/copies.md says how'
				: meant === undefined
					? `there are ${names.map(known => `\`${known}\``).join(', ')}`
					: `did you mean \`${meant}\`?`,
	});
}
