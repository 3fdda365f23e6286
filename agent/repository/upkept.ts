/**
 * Who looked after the repository last: a small snapshot, so that agents that share it need no server to agree. It names an agent and no run, no
 * source and no manifest: nothing takes it for a point. Each agent keeps its newest one only.
 */
import type {Snapshot} from '../restic/restic.ts';
import {agentTag, tagValue} from './names.ts';

/** What is done for all who share a repository. */
export type UpkeepOperation = 'prune' | 'check';

export interface Upkept {
	operation: UpkeepOperation;
	/** The agent that did it, and the name under which it files. */
	agent: string;
	host: string;
	/** When it ended well; to the second. */
	at: Date;
	/** Of a check: which part of the data was read; null: none. */
	readData: string | null;
	/** The record's own snapshot. */
	snapshot: string;
}

const upkeptTag = 'holdfast-upkept';

export const upkeptTags = ({operation, agent, readData}: Pick<Upkept, 'operation' | 'agent' | 'readData'>): string[] => [
	'holdfast',
	upkeptTag,
	agentTag(agent),
	`upkept:${operation}`,
	...(readData === null ? [] : [`read:${readData}`]),
];

export const upkeptPath = (operation: UpkeepOperation) => `/holdfast/upkept/${operation}.json`;

/** Pure: the records among the snapshots of a repository, newest first. */
export const upkeptAmong = (snapshots: readonly Snapshot[], operation: UpkeepOperation): Upkept[] =>
	snapshots
		.filter(({tags}) => tags.includes(upkeptTag) && tagValue(tags, 'upkept') === operation)
		.flatMap(({id: snapshot, tags, host, time: at}): Upkept[] => {
			const agent = tagValue(tags, 'agent');
			return agent === undefined ? [] : [{operation, agent, host, at, readData: tagValue(tags, 'read') ?? null, snapshot}];
		})
		.sort((a, b) => b.at.getTime() - a.at.getTime() || (a.agent < b.agent ? -1 : 1));
