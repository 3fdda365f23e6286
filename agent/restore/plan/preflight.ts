/** Everything that can be known of a restore before anything is touched: what it will do, or all that is wrong with it at once. */

import {explanation, NotFoundError, UsageError} from '../../../base/errors.ts';
import {inTurns} from '../../../base/in-turns.ts';
import type {RestoreRequest} from '../../../base/shapes/restores.ts';
import {asResumed} from '../../../docker/resume.ts';
import {shrunken} from '../../keep/shrink.ts';
import type {Survey} from '../../plan/survey.ts';
import {findPoint, findPointOfProject} from '../../repository/find.ts';
import {foreignPoint, isForeign} from '../../repository/foreign.ts';
import {listedOnce} from '../../repository/listed-once.ts';
import type {Manifest} from '../../repository/manifest.ts';
import {allPoints, listPoints, oursAmong, type Point, readManifest} from '../../repository/points.ts';
import type {NamedRepository, Repositories} from '../../repository/repositories.ts';
import type {Restic} from '../../restic/restic.ts';
import type {Runs} from '../../runs/runs.ts';
import type {Workshop} from '../../runs/workshop.ts';
import {kindOf} from '../../sources/kinds.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import type {State} from '../../state/state.ts';
import type {Target} from '../../targets/target.ts';
import {checkRestoration, missingNow, unreadable} from './check.ts';
import {choosePoint, keeperAmong, openFrom} from './from.ts';
import {graceWarnings} from './graces.ts';
import {namesUp, newcomersTo} from './newcomers.ts';
import {memberOf} from './places.ts';
import {planRestoration, type Restoration} from './plan.ts';
import {filesAhead, isBeside, wayWarnings} from './room.ts';
import type {Counts} from './storages.ts';
import {planTogether} from './together.ts';

type Wanted = Pick<
	RestoreRequest,
	'target' | 'point' | 'only' | 'into' | 'forceTarget' | 'skipDrillSql' | 'from' | 'fromHost' | 'fromTarget'
>;

interface Parts {
	workshop: Pick<Workshop, 'engine' | 'self' | 'hire' | 'journal' | 'ownership'>;
	survey: Survey;
	repositories: Repositories;
	isUnderWay: Runs['isUnderWay'];
	state: Pick<State, 'acceptedUpTo'>;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
	/** The share of its size that a source may lose from one point to the next. */
	shrinkLimit: number;
}

/** A restore that nothing forbids, and the repository that it reads. */
export interface Prepared {
	restoration: Restoration;
	from: NamedRepository;
	/** Of what is files, where it was asked. */
	counts: Counts;
	/** Names of those who have been started since, and have in hand what is about to be replaced. */
	newcomers: () => Promise<string[]>;
}

/**
 * With `whole`, what takes a worker or reads more of the repository is asked even where nothing else is wrong: a run that is about to begin does so itself.
 * @throws {NotFoundError | UsageError} with all that is wrong
 */
export type Preflight = (wanted: Wanted, options?: {whole: boolean}) => Promise<Prepared>;

export function createPreflight({
	workshop,
	survey,
	repositories,
	isUnderWay,
	state,
	restoreMarginBytes: marginBytes,
	shrinkLimit,
}: Parts): Preflight {
	const {engine, self} = workshop;
	const present = async () => {
		const {containers, unseen} = await survey.present();
		return {containers: asResumed(containers, workshop.journal, ({run}) => isUnderWay(run)), unseen};
	};

	const planOne = async (
		restic: Restic,
		target: Target,
		point: Point,
		{
			only,
			into,
			skipDrillSql,
			...wanted
		}: Pick<Wanted, 'only' | 'into' | 'forceTarget' | 'skipDrillSql' | 'fromTarget' | 'point'> & {manifest?: Manifest},
	) => {
		const manifest = wanted.manifest ?? (await readManifest(restic, point));
		const container = (source: string) => memberOf(target, source)?.container.id;
		const missing = await missingNow(manifest, {only, container, engine});
		const {containers, unseen} = await present();
		const planned = planRestoration({
			target,
			containers,
			unseen,
			point,
			manifest,
			only,
			missing,
			into,
			forceTarget: wanted.forceTarget || wanted.fromTarget !== undefined,
			skipDrillSql,
			isOurs: workshop.ownership().isOurs(point),
			self: self.containerId,
			dataRoot: (await engine.info()).dataRoot,
		});
		const smaller = wanted.point === 'latest' ? await suspicionOf(restic, point) : undefined;
		return smaller === undefined ? planned : {...planned, restoration: withAcknowledged(planned.restoration, smaller)};
	};

	/** Who takes the newest without looking may take what is left of lost data. */
	const suspicionOf = async (restic: Restic, point: Point): Promise<string | undefined> => {
		const ownership = workshop.ownership();
		const isOurs = ownership.isOurs(point);
		const points = (await allPoints(restic, ownership, point.target)).filter(other =>
			isOurs ? ownership.isOurs(other) : other.agent === point.agent && other.host === point.host,
		);
		const found = shrunken(points, {limit: shrinkLimit, accepted: isOurs ? state.acceptedUpTo(point.target) : undefined});
		const [first] = found.filter(each => each.point.id === point.id);
		return first === undefined
			? undefined
			: `the newest point of \`${point.target}\` is much smaller than those before: ${first.source} has ${first.bytes} bytes in it, and had ${first.before}. If something was lost before it was made, choose an older one with --point`;
	};

	const planProject = async (restic: Restic, targets: readonly [Target, ...Target[]], wanted: Wanted) => {
		const {target: project, point, only, into, forceTarget, skipDrillSql, fromHost, fromTarget} = wanted;
		if (only.length > 0 || into !== undefined || forceTarget) {
			throw new UsageError(`\`--only\`, \`--into\` and \`--force-target\` are for one target, and \`${project}\` is a project`, {
				hint: `restore one of its targets: ${targets.map(({name}) => name).join(', ')}`,
			});
		}

		const ownership = workshop.ownership();
		const wishOf = ({name}: Target) => ({
			target: name,
			point,
			fromHost,
			fromTarget: fromTarget === undefined ? undefined : `${fromTarget}${name.slice(project.length)}`,
		});
		const found = await inTurns(targets, async target => ({
			target,
			point: await findPointOfProject(restic, ownership, wishOf(target)),
		}));
		const without = found.flatMap(({target, point: chosen}) => (chosen === undefined ? [target.name] : []));
		const gone = await goneFrom(restic, targets.map(wishOf), fromTarget ?? project);
		const parts = await inTurns(found, async ({target, point: chosen}) =>
			chosen === undefined ? [] : [{target, ...(await planOne(restic, target, chosen, {only: [], skipDrillSql, fromTarget, point}))}],
		);
		const [first, ...others] = parts.flat();
		if (first === undefined) {
			const {message, hint = 'give `latest` or a time, such as 2026-11-21T03:00; `holdfast points` lists them'} = explanation(
				await findPoint(restic, ownership, wishOf(targets[0])).catch((error: unknown) => error),
			);
			throw new NotFoundError(`no target of project \`${project}\` has such a restore point, got \`${point}\`: ${message}`, {hint});
		}

		return planTogether(project, [first, ...others], {surroundings: {...(await present()), self: self.containerId}, without, gone});
	};

	/** What the project had, and has no place in it any more. */
	const goneFrom = async (restic: Restic, wishes: ReadonlyArray<{target: string; fromTarget: string | undefined}>, project: string) => {
		const ownership = workshop.ownership();
		const known = wishes.map(({target, fromTarget = target}) => fromTarget);
		const filed = oursAmong(await listPoints(restic), ownership).map(({target}) => target);
		return [...new Set(filed)].filter(name => name.startsWith(`${project}/`) && !known.includes(name));
	};

	const planWanted = async (wanted: Wanted) => {
		const {targets, isProject} = await survey.named(wanted.target);
		const [target] = targets;
		if (isForeign(wanted.point)) {
			if (isProject || wanted.into !== undefined) {
				throw new UsageError(
					`a snapshot of another program is put into one volume of one target, and \`${wanted.target}\` is ${isProject ? 'a project' : 'asked for with `--into`'}`,
				);
			}

			const from = await openFrom(repositories, wanted.from);
			const {point, manifest} = foreignPoint({...wanted, target: target.name, snapshots: await from.restic().snapshots()});
			return {from, warning: undefined, ...(await planOne(from.restic(), target, point, {...wanted, manifest}))};
		}

		if (isProject) {
			const from = await openFrom(repositories, wanted.from);
			return {from, warning: undefined, ...(await planProject(listedOnce(from.restic()), targets, wanted))};
		}

		const {from, point, warning} = await choosePoint(repositories, workshop.ownership(), {...wanted, target: target.name});
		return {from, warning, ...(await planOne(from.restic(), target, point, wanted))};
	};

	const costlier = async (from: NamedRepository, {sources}: Restoration) => {
		const unread = await unreadable(sources, from.restic(undefined, {cached: false}));
		return unread.length > 0 ? {problems: unread, counts: new Map(), sources} : filesAhead(workshop, from, {sources, marginBytes});
	};

	return async (wanted, {whole} = {whole: false}) => {
		const {from, warning, restoration, problems} = await planWanted(wanted);
		const {containers} = await present();
		const found = [...problems, ...(await checkRestoration(restoration, {engine, restic: from.restic(), marginBytes, containers}))];
		const isReadOnly = restoration.sources.some(isOverwritten) && (await keeperAmong(repositories, from)) === undefined;
		const further: Awaited<ReturnType<typeof costlier>> =
			whole || isReadOnly || found.length > 0
				? await costlier(from, restoration)
				: {problems: [], counts: new Map(), sources: restoration.sources};
		const all = [...found, ...further.problems];
		if (all.length > 0) {
			const ids = restoration.points.map(({id}) => `\`${id}\``).join(', ');
			throw new UsageError(`\`${wanted.target}\` cannot be restored to point ${ids}: ${[...new Set(all)].join('; ')}`);
		}

		const sources = further.sources;
		const graces = await graceWarnings(restoration, engine);
		const warnings = [
			...(warning === undefined ? [] : [warning]),
			...restoration.warnings,
			...graces,
			...wayWarnings(sources, restoration.target),
		];
		const planned = {...restoration, sources, isDecided: whole || isReadOnly, warnings};
		const lost = isReadOnly ? sources.filter(source => isOverwritten(source) && !isBeside(source)).map(({name}) => `\`${name}\``) : [];
		return {
			restoration:
				lost.length > 0
					? withAcknowledged(
							planned,
							`no repository can be written, so nothing is kept of what ${lost.join(', ')} ${lost.length === 1 ? 'holds' : 'hold'} now: this restore cannot be undone`,
						)
					: planned,
			from,
			counts: further.counts,
			newcomers: async () => newcomersTo(restoration, namesUp(containers), {...(await present()), self: self.containerId}),
		};
	};
}

const isOverwritten = ({kind}: RestoringSource): boolean => !kindOf(kind).isDatabase;

const withAcknowledged = (restoration: Restoration, warning: string): Restoration => ({
	...restoration,
	warnings: [warning, ...restoration.warnings],
	acknowledge: restoration.acknowledge === undefined ? warning : `${restoration.acknowledge}\n${warning}`,
});
