/** lawndoc/stack-back. Its filters are parts of where a mount comes from: the path on the host, or the volume's name. */
import type {Mount} from '../../../docker/container.ts';
import {type Dialect, isTrue, type Meant} from './dialect.ts';

/** restic-compose-backup, which it goes on from, has the same labels under its own name. */
const prefixes = ['stack-back.', 'restic-compose-backup.'];

/** Ours for all databases of a server; theirs dumps the one of POSTGRES_DB, or all that the user sees. */
const databases: ReadonlyMap<string, string> = new Map([
	['postgres', 'postgres'],
	['mariadb', 'mariadb'],
	['mysql', 'mariadb'],
]);

const known = new Set(['volumes', 'volumes.include', 'volumes.exclude', 'volumes.stop-during-backup', ...databases.keys()]);

/** A hook: a stage of the run, its place among those of the stage, and what is said of it. */
const hookLabel = /^hooks\.(pre|post|error|finally)\.(\d+)\.(?:cmd|context|on-error)$/;

/** It waits for its commands as long as they take. */
const patience = '1h';

/** Ours are one command before and one after, in the service's own container; the one after is run whatever became of the backup. */
function hooksOf(prefix: string, labels: Readonly<Record<string, string>>): {meant: Meant[]; lost: string[]} {
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix) && hookLabel.test(label.slice(prefix.length)));
	const commands = theirs.filter(label => label.endsWith('.cmd'));
	const meant: Meant[] = [];
	const heeded = new Set<string>();
	for (const [ourName, stages] of [
		['before', ['pre']],
		['after', ['post', 'finally']],
	] as const) {
		const [command, ...others] = commands.filter(label => stages.some(stage => label.startsWith(`${prefix}hooks.${stage}.`)));
		const hook = command?.slice(0, -'.cmd'.length);
		if (command !== undefined && others.length === 0 && labels[`${hook}.context`] === undefined) {
			const [value = '', onError = `${hook}.on-error`] = [labels[command]];
			meant.push({name: ourName, value, because: command}, {name: `${ourName}.timeout`, value: patience, because: command});
			if (labels[onError] === 'continue') {
				meant.push({name: `${ourName}.on-error`, value: 'continue', because: onError});
			}

			heeded.add(command).add(onError);
		}
	}

	const lost = theirs.filter(label => !heeded.has(label));
	return {
		meant,
		lost: lost.map(
			label => `\`${label}\` is not heeded: a service has one command before and one after its backup, which run in its own container`,
		),
	};
}

const patterns = (text: string | undefined): string[] => (text ?? '').split(',').flatMap(part => part.trim() || []);

const comesFrom = ({volume, hostPath}: Mount, parts: readonly string[]): boolean =>
	parts.some(part => hostPath.includes(part) || volume?.includes(part) === true);

const translated = (prefix: string, {image, labels, mounts}: Parameters<Dialect>[0]): ReturnType<Dialect> => {
	const of = (name: string) => labels[prefix + name];
	const meant: Meant[] = [];
	const mean = (name: string, value: string, theirs: string) => meant.push({name, value, because: prefix + theirs});
	for (const [theirs, name] of databases) {
		if (isTrue(of(theirs))) {
			mean(name, 'true', theirs);
		}
	}

	const [isDumped, isRefused] = [meant.length > 0, isFalse(of('volumes'))];
	const [included, excluded] = [patterns(of('volumes.include')), patterns(of('volumes.exclude'))];
	// Who is included by name is so whatever is excluded, and also where it is only read.
	const chosen = mounts.filter(mount =>
		included.length > 0 ? comesFrom(mount, included) : mount.readWrite && !comesFrom(mount, excluded),
	);
	const isChosen = !isRefused && included.length + excluded.length > 0;
	if (isChosen) {
		const paths = chosen.length === 0 ? 'false' : JSON.stringify(chosen.map(({path}) => path).toSorted());
		mean('volumes', paths, included.length > 0 ? 'volumes.include' : 'volumes.exclude');
	} else if (isTrue(of('volumes'))) {
		mean('volumes', 'true', 'volumes');
	} else if (of('volumes') !== undefined) {
		mean('volumes', 'false', 'volumes');
	}

	// Who is dumped goes on, whatever that label says.
	if (isTrue(of('volumes.stop-during-backup')) && !isDumped) {
		mean('quiesce', 'stop', 'volumes.stop-during-backup');
	}

	const asking = meant.find(({name, value}) => name !== 'quiesce' && value !== 'false');
	const theirs = Object.keys(labels).filter(label => label.startsWith(prefix));
	const hooks = hooksOf(prefix, labels);
	const unknown = theirs.filter(label => !known.has(label.slice(prefix.length)) && !hookLabel.test(label.slice(prefix.length)));
	const lost = [...hooks.lost, ...unknown.map(label => `\`${label}\` is not understood`)];
	if (asking !== undefined) {
		return {meant: [{name: 'enable', value: 'true', because: asking.because}, ...meant, ...hooks.meant], lost};
	}

	// Where all are meant that no label excludes, this one does; a server is dumped all the same.
	const isServer = [...databases.keys()].some(name => (image.split('/').at(-1) ?? '').startsWith(name) && !isFalse(of(name)));
	return {meant: isRefused && !isServer ? [{name: 'enable', value: 'false', because: `${prefix}volumes`}] : hooks.meant, lost};
};

const isFalse = (value: string | undefined): boolean => value !== undefined && /^(?:false|0|no)$/i.test(value.trim());

/** Who has both is moving from the one to the other. */
export const stackBack: Dialect = container => {
	const all = prefixes.map(prefix => translated(prefix, container));
	return {meant: all.find(({meant}) => meant.length > 0)?.meant ?? [], lost: all.flatMap(({lost}) => lost)};
};
