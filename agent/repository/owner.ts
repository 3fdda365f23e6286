/**
 * Whose a point is: the agent's that filed it, or that took it over. Never that of a host's name, which several machines may have. What was
 * decided of points that are there is a deed, and lies in the repository as a small snapshot: an agent that lost its state finds it again.
 */
import type {Snapshot} from '../restic/restic.ts';
import {agentTag, decodeTag, encodeTag, tagValue} from './names.ts';

/** What a snapshot says of who filed it, and as what. */
export interface Filed {
	/** The run. */
	id: string;
	/** The agent's id; null: it was filed before they had one. */
	agent: string | null;
	host: string;
	target: string;
	time: Date;
}

/** Pure. */
export const filedBy = (snapshot: Pick<Snapshot, 'tags' | 'host' | 'time'>): Filed => ({
	id: tagValue(snapshot.tags, 'run') ?? '',
	agent: tagValue(snapshot.tags, 'agent') ?? null,
	host: snapshot.host,
	target: tagValue(snapshot.tags, 'target') ?? '',
	time: snapshot.time,
});

interface DeedOf<Kind extends string> {
	kind: Kind;
	/** The agent whose deed it is. */
	by: string;
	/** It is of what was filed until then. */
	at: Date;
	/** The agent's id, the host's name, the target's name. */
	what: string;
}

/** `adopt`: the points of an agent; `adopt-host`: those of a host that name no agent; `move`: a target's, which have another name from then on. */
export type Deed = DeedOf<'adopt'> | DeedOf<'adopt-host'> | (DeedOf<'move'> & {to: string});

export interface Ownership {
	/** This agent's id. */
	readonly agent: string;
	isOurs: (filed: Filed) => boolean;
	/** As the target is called now that a point of ours was filed for. */
	targetOf: (filed: Filed) => string;
	/** The names under which points of a target may have been filed. */
	namesOf: (target: string) => string[];
}

export interface Known {
	agentId: string;
	/** Oldest first. */
	deeds: () => readonly Deed[];
	/** Undefined for a run that the agent's state does not know. */
	findRun: (run: string) => unknown;
}

/** As it is now. Two agents that see the same repository never both take a point for theirs: a later deed has the last word. */
export function ownershipOf({agentId, deeds: read, findRun}: Known): Ownership {
	const deeds = read();
	const moves = deeds.filter(deed => deed.kind === 'move');

	const ownerOf = ({agent, host, time}: Pick<Filed, 'agent' | 'host' | 'time'>): string | null => {
		let owner = agent;
		for (const deed of deeds) {
			const isMeant = deed.kind === 'adopt' ? deed.what === owner : deed.kind === 'adopt-host' && owner === null && deed.what === host;
			if (isMeant && time <= deed.at) {
				owner = deed.by;
			}
		}

		return owner;
	};

	/** Its own state knows what it filed itself. What it does not know was filed by another that has a copy of this state, such as a cloned machine. */
	const isKnown = ({agent, id, time}: Filed): boolean =>
		findRun(id) !== undefined || deeds.some(({kind, by, what, at}) => kind === 'adopt' && by === agent && what === agent && time <= at);

	return {
		agent: agentId,
		isOurs(filed) {
			const owner = ownerOf(filed);
			return owner === null ? findRun(filed.id) !== undefined : owner === agentId && (filed.agent !== agentId || isKnown(filed));
		},
		targetOf({target, time}) {
			let name = target;
			for (const {what, to, at, by} of moves) {
				if (what === name && time <= at && ownerOf({agent: by, host: '', time: at}) === agentId) {
					name = to;
				}
			}

			return name;
		},
		namesOf(target) {
			const names = new Set([target]);
			for (const {what, to} of moves.toReversed()) {
				if (names.has(to)) {
					names.add(what);
				}
			}

			return [...names];
		},
	};
}

const deedTag = 'holdfast-deed';

export const deedTags = (deed: Deed): string[] => [
	'holdfast',
	deedTag,
	agentTag(deed.by),
	`${deed.kind}:${encodeTag(deed.what)}`,
	...(deed.kind === 'move' ? [`to:${encodeTag(deed.to)}`] : []),
];

/** Pure: the deeds among the snapshots of a repository, oldest first. */
export function deedsOf(snapshots: ReadonlyArray<Pick<Snapshot, 'tags' | 'time'>>): Deed[] {
	return snapshots
		.filter(({tags}) => tags.includes(deedTag))
		.flatMap(({tags, time: at}): Deed[] => {
			const value = (name: string) => tagValue(tags, name);
			const [by, to] = [value('agent'), value('to')];
			const kind = (['adopt', 'adopt-host', 'move'] as const).find(each => value(each) !== undefined);
			const what = decodeTag(kind === undefined ? '' : (value(kind) ?? ''));
			if (by === undefined || kind === undefined) {
				return [];
			}

			return kind !== 'move' ? [{kind, by, at, what}] : to === undefined ? [] : [{kind, by, at, what, to: decodeTag(to)}];
		})
		.sort((a, b) => a.at.getTime() - b.at.getTime());
}
