/** Looking into points, for people who have lost something: nothing is written anywhere. */
import {NotFoundError} from '../../base/errors.ts';
import {quote} from '../../base/reading/quote.ts';
import type {Difference, DiffRequest, DumpRequest, FindRequest, Found, Listing, ListRequest} from '../../base/shapes/browsing.ts';
import {findPoint, type PointWish} from '../repository/find.ts';
import type {Manifest} from '../repository/manifest.ts';
import type {Ownership} from '../repository/owner.ts';
import {allPoints, listPoints, oursAmong, ownPoints, readManifest} from '../repository/points.ts';
import type {Repositories} from '../repository/repositories.ts';
import type {Restic} from '../restic/restic.ts';
import {diff} from './diff.ts';
import {type Dumped, dump} from './dump.ts';
import {find} from './find.ts';
import {list} from './list.ts';

export interface Browsing {
	/** @throws {NotFoundError | UsageError | RepositoryError} */
	list: (request: ListRequest) => Promise<Listing>;
	/** In the points of this agent. @throws {NotFoundError | UsageError | RepositoryError} */
	find: (request: FindRequest) => Promise<Found>;
	/** @throws {NotFoundError | UsageError | RepositoryError} */
	dump: (request: DumpRequest) => Promise<Dumped>;
	/** @throws {NotFoundError | RepositoryError} */
	diff: (request: DiffRequest) => Promise<Difference>;
}

interface Parts {
	repositories: Repositories;
	ownership: () => Ownership;
}

export function createBrowsing({repositories, ownership}: Parts): Browsing {
	/** @throws {NotFoundError | RepositoryError} */
	const open = async (from = repositories.primary.name): Promise<Restic> => {
		const repository = repositories.named(from);
		await repository.open();
		return repository.restic();
	};

	const within = async ({from, ...wish}: PointWish & {from?: string | undefined}): Promise<{restic: Restic; manifest: Manifest}> => {
		const restic = await open(from);
		return {restic, manifest: await readManifest(restic, await findPoint(restic, ownership(), wish))};
	};

	return {
		async list({path, recursive, limit, ...wish}) {
			const {restic, manifest} = await within(wish);
			return list(restic, manifest, {path, recursive, limit});
		},
		async find({target, from, ...wanted}) {
			const restic = await open(from);
			const points = target === undefined ? oursAmong(await listPoints(restic), ownership()) : await ownPoints(restic, ownership(), target);
			if (target !== undefined && points.length === 0) {
				throw new NotFoundError(`there is no restore point of ${quote(target)}`, {hint: '`holdfast points` lists them'});
			}

			return find(restic, points, wanted);
		},
		async dump({path, ...wish}) {
			const {restic, manifest} = await within(wish);
			return dump(restic, manifest, path);
		},
		async diff({points: ids, from, limit}) {
			const restic = await open(from);
			const points = await allPoints(restic, ownership());
			const [before, after] = await Promise.all(
				ids.map(async id => {
					const point = points.find(each => each.id === id);
					if (point === undefined) {
						throw new NotFoundError(`there is no point ${quote(id)}`, {hint: '`holdfast points` lists them'});
					}

					return readManifest(restic, point);
				}),
			);
			return diff(restic, before as Manifest, after as Manifest, limit);
		},
	};
}
