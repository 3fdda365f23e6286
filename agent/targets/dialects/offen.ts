/**
 * offen/docker-volume-backup. Its labels say who is stopped and what is run around a backup; which volumes are backed up is said by the mounts of its
 * own container, and is taken to be what the labelled container may write. Its order is ours: pre, stop, archive, start, post.
 */
import {type Dialect, isTrue, type Meant} from './dialect.ts';

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

export const offen: Dialect = ({labels}) => {
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix));
	const meant: Meant[] = [];
	const mean = (name: string, value: string, because: string) => {
		if (!meant.some(known => known.name === name)) {
			meant.push({name, value, because});
		}
	};

	const [first] = theirs;
	if (first !== undefined) {
		mean('enable', 'true', first);
		mean('volumes', 'true', first);
	}

	const stop = `${prefix}stop-during-backup`;
	// Another value than true names one of several of its containers, which stops it all the same.
	if (labels[stop] !== undefined && labels[stop] !== 'false') {
		mean('quiesce', 'stop', stop);
	}

	const noRestart = `${stop}-no-restart`;
	if (isTrue(labels[noRestart])) {
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
