/** Everything that can be known of a restore before anything is touched: what it will do, or all that is wrong with it at once. */
import type {Target} from '../docker/discovery.ts';
import type {RestoreRequest} from './agent.ts';
import type {Workshop} from './backup.ts';
import {NotFoundError, UsageError} from './errors.ts';
import {findPoint, listPoints, type Point, readManifest, readMoment} from './points.ts';
import type {RepositoryDoor} from './repository.ts';
import {checkRestoration, missingNow} from './restore-check.ts';
import {memberOf} from './restore-places.ts';
import {planRestoration, type Restoration} from './restore-plan.ts';
import {planTogether} from './restore-together.ts';
import {createArchiveReader} from './sources/postgres-archive.ts';
import type {Survey} from './survey.ts';

type Wanted = Pick<RestoreRequest, 'target' | 'point' | 'only' | 'into' | 'forceTarget'>;

interface Parts {
	workshop: Workshop;
	survey: Survey;
	repository: RepositoryDoor;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
}

/** @throws {NotFoundError | UsageError} with all that is wrong */
export type Preflight = (wanted: Wanted) => Promise<Restoration>;

export function createPreflight({workshop, survey, repository, restoreMarginBytes: marginBytes}: Parts): Preflight {
	const {engine, self} = workshop;
	const restic = workshop.restic();

	const archiveVersion = createArchiveReader(restic);

	const planOne = async (target: Target, point: Point, {only, into, forceTarget}: Omit<Wanted, 'target' | 'point'>) => {
		const manifest = await readManifest(restic, point);
		const container = (source: string) => memberOf(target, source)?.container.id;
		const missing = await missingNow(manifest, {only, container, engine});
		return planRestoration({
			target,
			containers: await engine.list(),
			point,
			manifest,
			only,
			missing,
			into,
			forceTarget,
			self: self.containerId,
		});
	};

	const planProject = async (project: string, targets: readonly Target[], {point, only, into, forceTarget}: Wanted) => {
		if (only.length > 0 || into !== undefined || forceTarget) {
			throw new UsageError(`\`--only\`, \`--into\` and \`--force-target\` are for one target, and \`${project}\` is a project`, {
				hint: `restore one of its targets: ${targets.map(({name}) => name).join(', ')}`,
			});
		}

		const found = await Promise.all(
			targets.map(async target => ({target, point: choosePoint(await listPoints(restic, target.name), point)})),
		);
		const without = found.flatMap(({target, point: chosen}) => (chosen === undefined ? [target.name] : []));
		const parts = await Promise.all(
			found.flatMap(({target, point: chosen}) =>
				chosen === undefined ? [] : [planOne(target, chosen, {only: []}).then(planned => ({target, ...planned}))],
			),
		);
		const [first, ...others] = parts;
		if (first === undefined) {
			throw new NotFoundError(`no target of project \`${project}\` has such a restore point, got \`${point}\``, {
				hint: 'give `latest` or a time, such as 2026-11-21T03:00; holdfast points lists them',
			});
		}

		return planTogether(project, [first, ...others], {surroundings: {containers: await engine.list(), self: self.containerId}, without});
	};

	return async wanted => {
		const {targets, isProject} = await survey.named(wanted.target);
		await repository.open();
		const [target] = targets;
		const {restoration, problems} = isProject
			? await planProject(wanted.target, targets, wanted)
			: await planOne(target, await findPoint(restic, target.name, wanted.point), wanted);
		const all = [...problems, ...(await checkRestoration(restoration, {engine, restic, archiveVersion, marginBytes}))];
		if (all.length > 0) {
			const ids = restoration.points.map(({id}) => `\`${id}\``).join(', ');
			throw new UsageError(`\`${wanted.target}\` cannot be restored to point ${ids}: ${[...new Set(all)].join('; ')}`);
		}

		return restoration;
	};
}

/** @param text `latest`, a time, or ids of points, of which one may be of this target */
function choosePoint(points: readonly Point[], text: string): Point | undefined {
	const until = readMoment(text);
	const ids = text.split(',');
	return points.find(({id, time}) => text === 'latest' || (until === undefined ? ids.includes(id) : time <= until));
}
