/**
 * offen/docker-volume-backup. Its labels say who is stopped and what is run around a backup; which volumes are backed up is said by the mounts of its
 * own container, and is taken to be what the labelled container may write. Its order is ours: pre, stop, archive, start, post.
 */
import type {Dialect, Meant} from './dialect.ts';

const prefix = 'docker-volume-backup.';

/** It waits for its commands as long as they take. */
const patience = '1h';

const hooks = [
	['archive-pre', 'before'],
	['exec-pre', 'before'],
	['archive-post', 'after'],
	['exec-post', 'after'],
	// Of jareware/docker-volume-backup, which it goes on from
	['exec-pre-backup', 'before'],
	['exec-post-backup', 'after'],
] as const;

const known = new Set(['stop-during-backup', ...hooks.flatMap(([name]) => [name, `${name}.user`])]);

const phases = /^(?:process|copy|prune)-(?:pre|post)(?:\.user)?$/;

const stop = `${prefix}stop-during-backup`;
const noRestart = `${stop}-no-restart`;

export const offen: Dialect = ({labels}) => {
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix));
	const meant: Meant[] = [];
	const mean = (name: string, value: string, because: string) => {
		if (!meant.some(known => known.name === name)) {
			meant.push({name, value, because});
		}
	};

	// One that it does not know itself (`docker-volume-backup.exclude=true`, as some write) asks for nothing.
	const first = theirs.find(
		label => known.has(label.slice(prefix.length)) || label === noRestart || phases.test(label.slice(prefix.length)),
	);
	if (first !== undefined) {
		mean('enable', 'true', first);
		mean('volumes', 'true', first);
	}

	// Another value than true names one of several of its containers, which stops it all the same.
	if (labels[stop] !== undefined && labels[stop] !== 'false') {
		mean('quiesce', 'stop', stop);
	}

	if (labels[noRestart] !== undefined && labels[noRestart] !== 'false') {
		mean('quiesce', 'stop', noRestart);
	}

	for (const [theirName, ourName] of hooks) {
		const [command, user] = [`${prefix}${theirName}`, `${prefix}${theirName}.user`];
		if (labels[command] !== undefined && !meant.some(({name}) => name === ourName)) {
			mean(ourName, labels[command], command);
			mean(`${ourName}.timeout`, patience, command);
			if (labels[user] !== undefined) {
				mean(`${ourName}.user`, labels[user], user);
			}
		}
	}

	const lost = theirs.flatMap(label => {
		const name = label.slice(prefix.length);
		if (phases.test(name)) {
			return [`\`${label}\` is not run: there is no archive that it could be about`];
		}

		if (label === noRestart) {
			return [`\`${label}\` is not heeded: what is stopped for a backup is started after it`];
		}

		if (name === 'exec-label') {
			return [`\`${label}\` is not heeded: commands of a container are run for its own backup, whichever of several containers ran them`];
		}

		return known.has(name) ? [] : [`\`${label}\` is not understood`];
	});
	return {meant, lost};
};
