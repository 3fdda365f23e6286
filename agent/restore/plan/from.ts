/** Which repository a restore or a drill reads a point from: the one that is named; the primary; or, where that is lost, a copy. */
import {explain, NotFoundError, RepositoryError} from '../../../base/errors.ts';
import {findPoint, type PointWish} from '../../repository/find.ts';
import type {Ownership} from '../../repository/owner.ts';
import type {Point} from '../../repository/points.ts';
import type {CopyRepository, NamedRepository, Repositories} from '../../repository/repositories.ts';

export interface Chosen {
	from: NamedRepository;
	point: Point;
	/** What a person must know: that this is a copy's point, and why. */
	warning?: string | undefined;
}

export interface Wish extends PointWish {
	/** `primary`, or a copy's name; undefined: the primary, or a copy where that is lost. */
	from?: string | undefined;
}

/** Nothing that waiting or a right password would mend. */
const isLost = (error: unknown): error is RepositoryError =>
	error instanceof RepositoryError && (error.problem === 'missing' || error.problem === 'unreachable');

/** Where what is replaced is kept: the primary repository, or where that is lost or can only be read, the next that can be written. Undefined: none can. */
export async function keeperAmong({primary, copies}: Repositories, from: NamedRepository): Promise<NamedRepository | undefined> {
	for (const candidate of [primary, from, ...copies.filter(copy => copy.isKnown())]) {
		const isOpen = candidate.access() !== 'read-only' && (await candidate.open().then(Boolean, () => false));
		if (isOpen) {
			return candidate;
		}
	}

	return undefined;
}

/** Without a fall back: the points of several targets come from one repository, which a person chooses. @throws {NotFoundError | RepositoryError} */
export async function openFrom({primary, copies, named}: Repositories, from: string | undefined): Promise<NamedRepository> {
	const repository = from === undefined ? primary : named(from);
	try {
		await repository.open();
		return repository;
	} catch (error) {
		throw from === undefined ? withCopies(error, copies) : error;
	}
}

/** @throws {NotFoundError | RepositoryError} that names the copies, where there are any */
export async function choosePoint(repositories: Repositories, ownership: Ownership, {from, ...wish}: Wish): Promise<Chosen> {
	const {primary, copies} = repositories;
	if (from !== undefined) {
		const repository = await openFrom(repositories, from);
		return {from: repository, point: await findPoint(repository.restic(), ownership, wish)};
	}

	try {
		await primary.open();
		return {from: primary, point: await findPoint(primary.restic(), ownership, wish)};
	} catch (error) {
		if (isLost(error) && copies.length > 0) {
			return fallBack(copies, ownership, {wish, cause: error});
		}

		throw withCopies(error, copies);
	}
}

/** The newest that any copy has. */
async function fallBack(
	copies: readonly CopyRepository[],
	ownership: Ownership,
	{wish, cause}: {wish: PointWish; cause: RepositoryError},
): Promise<Chosen> {
	const found: Chosen[] = [];
	const failures: string[] = [];
	for (const copy of copies) {
		try {
			await copy.open();
			found.push({from: copy, point: await findPoint(copy.restic(), ownership, wish)});
		} catch (error) {
			failures.push(`copy \`${copy.name}\`: ${explain(error)}`);
		}
	}

	const [best] = found.toSorted((a, b) => b.point.time.getTime() - a.point.time.getTime());
	if (best === undefined) {
		throw new RepositoryError(cause.problem, `${cause.message}; and no copy can take its place: ${failures.join('; ')}`, {
			cause: cause.cause,
			hint: cause.hint,
		});
	}

	const {from, point} = best;
	const newer = wish.point === 'latest' ? ', and the primary may have had newer ones' : '';
	const warning = `the primary repository cannot be used (${cause.message}): this is the point of ${point.time.toISOString()} as copy \`${from.name}\` has it${newer}`;
	return {...best, warning};
}

/** The same error, whose hint says that a copy may have what is wanted. */
function withCopies(error: unknown, copies: readonly CopyRepository[]): unknown {
	if (copies.length === 0 || !(error instanceof RepositoryError || error instanceof NotFoundError)) {
		return error;
	}

	const names = copies.map(({name}) => `--from ${name}`).join(' or ');
	const hint = [error.hint, `a copy may have it: ${names}`].filter(Boolean).join('; ');
	return error instanceof RepositoryError
		? new RepositoryError(error.problem, error.message, {hint, cause: error.cause})
		: new NotFoundError(error.message, {hint, cause: error.cause});
}
