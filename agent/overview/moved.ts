/** Targets of this agent that another one files since: the very service of Swarm, on another node; or one of the same name, of which nobody knows. Pure. */
import type {Point} from '../repository/points.ts';
import {aliveMs} from './owners.ts';

/** The newest point that another agent filed, and ours before it. */
export interface FiledElsewhere {
	/** Proven: Swarm runs the same services there, or has them anew by the same name, and has put them there since our newest point. */
	isMoved: boolean;
	agent: string;
	host: string;
	/** As it is called there. */
	target: string;
	time: Date;
	bytes: number;
	ours: {time: Date; bytes: number};
	/** Who files it is given this long for the next one: twice as long as lay between our last two, and as long as any agent has, at least. */
	patienceMs: number;
}

const bytesOf = ({sources}: Point): number => sources.reduce((sum, {bytes}) => sum + bytes, 0);

/**
 * By the name of our target. A name alone proves nothing: another host may have had a service of that name all along. Nor does the service's id
 * while it has tasks on several nodes: then the other agent has had it for longer than ours is missed.
 * @param ours newest first, under the names that targets have now
 * @param theirs newest first
 */
export function filedElsewhere(ours: readonly Point[], theirs: readonly Point[]): Map<string, FiledElsewhere> {
	const found = new Map<string, FiledElsewhere>();
	for (const [target, [own, before]] of Map.groupBy(ours, point => point.target)) {
		const newer = theirs.filter(({time}) => own !== undefined && time > own.time);
		const point = newer.find(each => own !== undefined && isMove(own, each)) ?? newer.find(each => each.target === target);
		if (own !== undefined && point?.agent != null) {
			found.set(target, {
				isMoved: isMove(own, point),
				agent: point.agent,
				host: point.host,
				target: point.target,
				time: point.time,
				bytes: bytesOf(point),
				ours: {time: own.time, bytes: bytesOf(own)},
				patienceMs: Math.max(aliveMs, before === undefined ? 0 : 2 * (own.time.getTime() - before.time.getTime())),
			});
		}
	}

	return found;
}

function isMove(own: Point, other: Point): boolean {
	const {placed: here, time} = own;
	const {placed: there} = other;
	return (
		here !== undefined &&
		there !== undefined &&
		there.since > time.getTime() &&
		(here.services.every(service => there.services.includes(service)) || isAnew(own, other))
	);
}

/** The stack was removed and deployed anew: in one Swarm there are no two services of one name, so ours is no more. It is it with all of its sources only. */
const isAnew = ({placed: here, target, sources}: Point, other: Point): boolean =>
	target === other.target &&
	here?.managers.some(manager => other.placed?.managers.includes(manager)) === true &&
	sources.every(({source}) => other.sources.some(each => each.source === source));
