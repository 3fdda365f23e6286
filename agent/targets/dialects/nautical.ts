/**
 * Minituff/nautical-backup. Every container is stopped for its backup, unless a label says otherwise; which folder is backed up is found by the
 * container's name below a folder of its own, and is taken to be what the container may write.
 */
import {type Dialect, isTrue, type Meant} from './dialect.ts';

const prefix = 'nautical-backup.';

/** It waits that long for its commands where no label says how long; 0 waits as long as they take. */
const patience = '60s';
const endless = '1h';

const known = new Set([
	'enable',
	'skip',
	'stop-before-backup',
	'group',
	'lifecycle.before',
	'lifecycle.after',
	'lifecycle.before.timeout',
	'lifecycle.after.timeout',
]);

const isNo = (value: string | undefined): boolean => /^(?:false|0|no)$/i.test(value?.trim() ?? '');

export const nautical: Dialect = ({labels}) => {
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix));
	const [first] = theirs;
	if (first === undefined) {
		return {meant: [], lost: []};
	}

	const of = (name: string) => labels[prefix + name];
	const refusing = isNo(of('enable')) ? 'enable' : isTrue(of('skip')) ? 'skip' : undefined;
	if (refusing !== undefined) {
		return {meant: [{name: 'enable', value: 'false', because: prefix + refusing}], lost: []};
	}

	const meant: Meant[] = [
		{name: 'enable', value: 'true', because: first},
		{name: 'volumes', value: 'true', because: first},
	];
	if (!isNo(of('stop-before-backup'))) {
		const said = of('stop-before-backup') === undefined ? first : `${prefix}stop-before-backup`;
		meant.push({name: 'quiesce', value: 'stop', because: said});
	}

	const groups = (of('group') ?? '').split(',').flatMap(name => name.trim() || []);
	const [group] = groups;
	if (group !== undefined && groups.length === 1) {
		meant.push({name: 'group', value: group, because: `${prefix}group`});
	}

	for (const [theirName, ourName] of [
		['lifecycle.before', 'before'],
		['lifecycle.after', 'after'],
	] as const) {
		const command = of(theirName);
		if (command !== undefined) {
			const timeout = `${theirName}.timeout`;
			meant.push({name: ourName, value: command, because: prefix + theirName});
			meant.push({name: `${ourName}.timeout`, value: timeoutOf(of(timeout)), because: prefix + (of(timeout) ? timeout : theirName)});
		}
	}

	const lost = theirs.flatMap(label => (known.has(label.slice(prefix.length)) ? [] : [`\`${label}\` is not heeded`]));
	return {meant, lost: groups.length > 1 ? [...lost, `\`${prefix}group\` is not heeded: a service is in one group`] : lost};
};

/** As `timeout` reads it: a number, of seconds where it has no unit. */
function timeoutOf(text: string | undefined): string {
	const [, count = '', unit = 's'] = /^(\d+)([smhd])?$/.exec(text?.trim() ?? '') ?? [];
	return count === '' ? patience : Number(count) === 0 ? endless : count + unit;
}
