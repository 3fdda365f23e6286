/** Which point a person means: one of this agent's own, unless another's is named. */

import {NotFoundError, UsageError} from '../../base/errors.ts';
import type {Restic} from '../restic/restic.ts';
import type {Ownership} from './owner.ts';
import {allPoints, listPoints, newestOf, oursAmong, ownPoints, type Point} from './points.ts';

export interface PointWish {
	target: string;
	/** `latest`, a time (then the newest point that is not after it), or a point's id: that may be of another target, or of another agent. */
	point: string;
	/** The points that are filed under this host's name, or by the agent of this id, whoever that is. */
	fromHost?: string | undefined;
	/** The points of a target of another name: `holdfast restore new/app --from-target old/app`. */
	fromTarget?: string | undefined;
}

/** `2026-11-21T03:00`, with seconds and a zone if need be; without a zone, the agent's own. Undefined for what is no time. */
function readMoment(text: string): Date | undefined {
	const isTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/.test(text);
	const moment = isTime ? new Date(text) : undefined;
	return moment === undefined || Number.isNaN(moment.getTime()) ? undefined : moment;
}

const isId = (text: string): boolean => text !== 'latest' && readMoment(text) === undefined;

/** @throws {NotFoundError} that names the points of others, where there are such @throws {UsageError} */
export async function findPoint(restic: Restic, ownership: Ownership, wish: PointWish): Promise<Point> {
	const points = await candidates(restic, ownership, wish);
	const found = among(points, wish.point);
	if (found !== undefined) {
		return found;
	}

	throw missing(wish, {points: await listPoints(restic), ownership, hasOthers: points.length > 0});
}

/** Of one target among those of a project; undefined where it has none. @param wish `point` may be the ids of several targets' points @throws {UsageError} */
export async function findPointOfProject(restic: Restic, ownership: Ownership, wish: PointWish): Promise<Point | undefined> {
	const {target, point, fromTarget = target} = wish;
	const ids = point.split(',');
	return isId(point)
		? (await allPoints(restic, ownership, fromTarget)).find(({id}) => ids.includes(id))
		: among(await candidates(restic, ownership, wish), point);
}

/** Newest first: of the target's points those among which `latest` and a time choose; an id is looked for among all. */
async function candidates(
	restic: Restic,
	ownership: Ownership,
	{target, point, fromHost, fromTarget = target}: PointWish,
): Promise<Point[]> {
	if (isId(point)) {
		const all = await allPoints(restic, ownership);
		return [...all.filter(each => each.target === target), ...all].filter(each => fromHost === undefined || isFrom(fromHost)(each));
	}

	return fromHost === undefined
		? ownPoints(restic, ownership, fromTarget)
		: ofOneAgent(fromHost, (await listPoints(restic, fromTarget)).filter(isFrom(fromHost)), ownership);
}

const isFrom =
	(name: string) =>
	({host, agent}: Point): boolean =>
		host === name || agent === name;

/** Several machines may have one name: then "the newest" means nothing. @throws {UsageError} */
function ofOneAgent(host: string, points: readonly Point[], {isOurs}: Ownership): Point[] {
	const agents = [...new Set(points.map(point => (isOurs(point) ? '' : (point.agent ?? 'one that has no id'))))];
	if (agents.length > 1) {
		const names = agents.map(agent => (agent === '' ? 'this agent' : agent)).join(', ');
		throw new UsageError(`several agents have filed points of \`${points[0]?.target}\` under the host name \`${host}\`: ${names}`, {
			hint: 'name the agent (--from-host AGENT) or the point (--point ID); `holdfast points` lists them',
		});
	}

	return [...points];
}

/** @param points newest first */
function among(points: readonly Point[], text: string): Point | undefined {
	if (text === 'latest') {
		return newestOf(points);
	}

	const until = readMoment(text);
	return points.find(({id, time}) => (until === undefined ? id === text : time <= until));
}

interface Known {
	/** All of the repository. */
	points: readonly Point[];
	ownership: Ownership;
	/** There are points of the target, but not the one that is meant. */
	hasOthers: boolean;
}

/** Pure. */
function missing({target, point, fromHost, fromTarget = target}: PointWish, {points, ownership, hasOthers}: Known): NotFoundError {
	const what = point === 'latest' ? '' : isId(point) ? ` \`${point}\`` : ` by \`${point}\``;
	const where = fromHost === undefined ? '' : ` filed under \`${fromHost}\``;
	const said = `\`${fromTarget}\` has no restore point${where}${what}`;
	if (hasOthers) {
		return new NotFoundError(said, {hint: `\`holdfast points ${fromTarget}\` lists them`});
	}

	const foreign = points.filter(each => each.target === fromTarget && !ownership.isOurs(each));
	const [newest] = foreign;
	if (newest !== undefined) {
		const {adopt, name} = claimOf(newest);
		return new NotFoundError(`${said}${fromHost === undefined ? ' of this agent' : ''}; ${describeForeign(foreign)}`, {
			hint: `take over what that agent filed: holdfast adopt ${adopt}; or name it: --from-host ${name}, or --point ID`,
		});
	}

	const alike = otherNamesOf(fromTarget, oursAmong(points, ownership));
	const [other] = alike;
	return other === undefined
		? new NotFoundError(said, {
				hint: `make one: holdfast backup ${fromTarget}; if it had another name before, holdfast points lists that, and holdfast restore ${target} --from-target OLD restores it`,
			})
		: new NotFoundError(`${said}; there are points of ${alike.map(name => `\`${name}\``).join(', ')}`, {
				hint: `if that is its former name: holdfast restore ${target} --from-target ${other}, or for good: holdfast move ${other} ${target}`,
			});
}

/** What to give to `holdfast adopt`, and to `--from-host`. */
const claimOf = ({agent, host}: Pick<Point, 'agent' | 'host'>): {adopt: string; name: string} => ({
	adopt: agent ?? host,
	name: host,
});

/** @param points not empty, newest first */
const describeForeign = (points: readonly Point[]): string => {
	const whose = [...new Map(points.toReversed().map(point => [`${point.agent} ${point.host}`, point])).values()];
	return whose
		.map(({agent, host, time}) => {
			const count = points.filter(point => point.agent === agent && point.host === host).length;
			const filer = agent === null ? 'an agent that has no id' : `agent ${agent}`;
			return `${filer} on host \`${host}\` has filed ${count}, the newest of ${time.toISOString()}`;
		})
		.join('; ');
};

/** Targets of other projects that have the same name within their own: a project that was renamed. */
const otherNamesOf = (target: string, points: readonly Point[]): string[] => {
	const within = (name: string) => name.slice(name.indexOf('/') + 1);
	return [...new Set(points.map(each => each.target))].filter(
		name => name !== target && target.includes('/') && within(name) === within(target),
	);
};
