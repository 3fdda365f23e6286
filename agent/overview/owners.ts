/** Who else has filed in the repository: agents that live, former ones, and nobody knows who. Pure. */
import type {Finding} from '../../base/shapes/targets.ts';
import type {Ownership} from '../repository/owner.ts';
import {oursAmong, type Point} from '../repository/points.ts';

/** Who is backed up once a day has filed something since. */
export const aliveMs = 26 * 3_600_000;

/** Another agent that has filed something, and what to say of it. */
export interface Filer {
	/** Null: it had no id yet. */
	agent: string | null;
	host: string;
	isAlive: boolean;
	finding: Finding;
}

interface Repository {
	/** All of it, newest first. */
	points: readonly Point[];
	ownership: Ownership;
	/** As this agent's snapshots are filed. */
	host: string;
	now: number;
}

const subject = 'repository';

export function findFilers({points, ownership, host: own, now}: Repository): Filer[] {
	const ours = oursAmong(points, ownership);
	const targets = new Set(ours.map(({target}) => target));
	const foreign = Map.groupBy(
		points.filter(point => !ownership.isOurs(point)),
		({agent, host}) => `${agent} ${host}`,
	);
	return [...foreign.values()].flatMap((ofOne): Filer[] => {
		const [newest] = ofOne;
		if (newest === undefined) {
			return [];
		}

		const {agent, host, time} = newest;
		const known = {hasPoints: ours.length > 0, shared: ofOne.find(each => host === own && targets.has(each.target))?.target};
		const isAlive = now - time.getTime() < aliveMs;
		return [{agent, host, isAlive, finding: findingOf(ofOne, newest, {...known, isAlive, own, ownAgent: ownership.agent})}];
	});
}

interface Known {
	/** This agent has points of its own. */
	hasPoints: boolean;
	/** A target that both have filed under one host name. */
	shared: string | undefined;
	isAlive: boolean;
	own: string;
	ownAgent: string;
}

function findingOf(ofOne: readonly Point[], {agent, host, time}: Point, {hasPoints, shared, isAlive, own, ownAgent}: Known): Finding {
	const count = `${ofOne.length} restore points on host \`${host}\`, the newest of ${time.toISOString()}`;
	const adopt = `holdfast adopt ${agent ?? host}`;
	if (agent === null) {
		return {
			level: 'warning',
			subject,
			message: `${count}, name no agent, and this one does not know their runs: it neither removes them nor takes them for its newest`,
			hint: `if no other agent of an older version made them: ${adopt}`,
		};
	}

	if (agent === ownAgent) {
		return {
			level: 'warning',
			subject,
			message: `${count}, have this agent's own id, and it has not made them: another agent works with a copy of its state, or its state is an older one`,
			hint: `on a cloned machine, begin with an empty state; where the state is an older one: ${adopt} --force`,
		};
	}

	if (isAlive) {
		return shared === undefined
			? {level: 'ok', subject, message: `agent ${agent} files here, too: ${count}; each removes only its own`}
			: {
					level: 'warning',
					subject,
					message: `agent ${agent} files here under the same host name and for the same target \`${shared}\`: ${count}; each removes only its own`,
					hint: `give each a HOLDFAST_HOST of its own; or if that one is gone for good: ${adopt} --force`,
				};
	}

	return {
		level: host === own || !hasPoints ? 'warning' : 'ok',
		subject,
		message: `agent ${agent}, which has not filed anything lately, has ${count}; nobody removes them`,
		hint: `if it is gone for good, take them over: ${adopt}`,
	};
}
