/** What is wanted, as a plan: of one target, of all of a project, or of what another program stored. */

import {explanation, NotFoundError, UsageError} from '../../../base/errors.ts';
import {inTurns} from '../../../base/in-turns.ts';
import type {RestoreRequest} from '../../../base/shapes/restores.ts';
import {shrunken} from '../../keep/shrink.ts';
import type {Survey} from '../../plan/survey.ts';
import {findPoint, findPointOfProject} from '../../repository/find.ts';
import {foreignPoint, isForeign} from '../../repository/foreign.ts';
import {listedOnce} from '../../repository/listed-once.ts';
import type {Manifest} from '../../repository/manifest.ts';
import {allPoints, listPoints, oursAmong, type Point, readManifest} from '../../repository/points.ts';
import type {Repositories} from '../../repository/repositories.ts';
import type {Restic} from '../../restic/restic.ts';
import type {Workshop} from '../../runs/workshop.ts';
import type {State} from '../../state/state.ts';
import type {Target} from '../../targets/target.ts';
import {missingNow} from './check.ts';
import {choosePoint, openFrom} from './from.ts';
import {memberOf} from './places.ts';
import {planRestoration, type Restoration} from './plan.ts';
import {planTogether} from './together.ts';

export type Wanted = Pick<
	RestoreRequest,
	'target' | 'point' | 'only' | 'into' | 'forceTarget' | 'skipDrillSql' | 'from' | 'fromHost' | 'fromTarget'
>;

interface Parts {
	workshop: Pick<Workshop, 'engine' | 'self' | 'ownership'>;
	survey: Survey;
	repositories: Repositories;
	state: Pick<State, 'acceptedUpTo'>;
	/** The share of its size that a source may lose from one point to the next. */
	shrinkLimit: number;
	/** What there is now, each container as it will be when nothing stands still for a run any more. */
	present: () => Promise<Pick<Awaited<ReturnType<Survey['present']>>, 'containers' | 'unseen'>>;
}

/** @returns what makes the plan @throws {NotFoundError | UsageError} what is wrong with what is wanted itself */
export function createPlanning({workshop, survey, repositories, state, shrinkLimit, present}: Parts) {
	const {engine, self} = workshop;

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

	return async (wanted: Wanted) => {
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
}

/** With a warning that must be read before anything is done. Pure. */
export const withAcknowledged = (restoration: Restoration, warning: string): Restoration => ({
	...restoration,
	warnings: [warning, ...restoration.warnings],
	acknowledge: restoration.acknowledge === undefined ? warning : `${restoration.acknowledge}\n${warning}`,
});
