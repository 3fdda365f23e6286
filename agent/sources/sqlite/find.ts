/** Which databases there are, where labels name patterns or all: looked for in a worker that may only read. */
import {dirname} from 'node:path/posix';
import * as z from 'zod';
import {lastLines, printedBy} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {inside, isInside} from '../../../docker/storage.ts';
import {shownAt} from '../../../docker/worker-mounts.ts';
import type {Asked, Means, Proposal} from '../kind.ts';
import {objectionTo, ownIn, readOnlyObjection} from '../objections.ts';
import {type Amiss, whatIsAt} from '../there.ts';
import type {Question} from './find.program.ts';
import type {SqlitePolicy} from './labels.ts';

/** Each database has a process of its own while it is backed up. */
export const mostDatabases = 50;

const found = z.object({
	found: z.array(z.object({path: z.string(), isDatabase: z.boolean()})),
	isCut: z.boolean(),
	unreadable: z.array(z.string()),
});

/** Paths are those in the container. */
export interface FoundFiles extends z.infer<typeof found> {
	/** Of the paths that labels name. */
	amiss?: readonly Amiss[];
	/** None was found, and what is new may just be making the first one. */
	isEarly?: boolean;
}

const program = shippedProgram('agent/sources/sqlite/find.program');

/** A folder of a million files takes its time. */
const findingMs = 10 * 60_000;

const nothing: FoundFiles = {found: [], isCut: false, unreadable: []};

/** So new is a container whose application may still be making its first database: milliseconds. */
const newMs = 10 * 60_000;

/** Undefined: the labels ask for none. The container need not run. */
export function askSqlite(asked: Asked<SqlitePolicy>, means: Means): Promise<FoundFiles> | undefined {
	const {all, paths, patterns} = asked.policy;
	return all || paths.length + patterns.length > 0 ? answerTo(asked, means) : undefined;
}

async function answerTo(asked: Asked<SqlitePolicy>, means: Means): Promise<FoundFiles> {
	const {
		container: {id, createdAt},
		policy: {all, paths, patterns},
	} = asked;
	const isSearched = all || patterns.length > 0;
	const [files, amiss] = await Promise.all([
		isSearched ? look(asked, means, AbortSignal.timeout(findingMs)) : nothing,
		Promise.all(paths.map(async path => amissAt(means.engine, id, path))),
	]);
	return {...files, amiss: amiss.flat(), isEarly: isSearched && files.found.length === 0 && Date.now() - createdAt < newMs};
}

/** What a link leads to is what counts. */
async function amissAt(engine: Means['engine'], id: string, path: string): Promise<Amiss[]> {
	const first = await whatIsAt(engine, id, path);
	const seen = first?.linkTarget ? await whatIsAt(engine, id, first.linkTarget) : first;
	if (seen === null) {
		const makes = `correct the label \`${label('sqlite')}\`, or start the application, if it is what makes the file`;
		return [{path, why: 'does not exist', hint: `${makes}; what is there at times only is named by a pattern: \`${dirname(path)}/*.db\``}];
	}

	const folder = path.replace(/\/$/, '');
	return seen?.isDirectory
		? [{path, why: 'is a folder', hint: `name the databases in it: \`${folder}/*.db\`, or with all below it \`${folder}/**/*.db\``}]
		: [];
}

/** Named by their paths, nobody looks into every file again for each backup. */
const mostNamed = 3;
const plainPath = /^[\w/.@+-]+$/;

/** More than can be backed up are files like others. */
export async function proposeSqlite(container: Container, means: Means, signal: AbortSignal): Promise<Proposal | undefined> {
	const {found, isCut} = await look({container, policy: {paths: [], patterns: [], all: true}}, means, signal);
	const paths = found.filter(({isDatabase}) => isDatabase).map(({path}) => path);
	const [first = '', ...others] = paths;
	if (paths.length === 0 || isCut) {
		return undefined;
	}

	const isNamed = paths.length <= mostNamed && paths.every(path => plainPath.test(path));
	return {
		labels: {sqlite: isNamed ? paths.join(',') : 'true', volumes: 'true'},
		why: `SQLite, by what ${quote(first)} ${others.length === 0 ? 'begins' : `and ${others.length} more begin`} with`,
	};
}

async function look({container, policy}: Asked<SqlitePolicy>, {hire, ...surroundings}: Means, signal: AbortSignal): Promise<FoundFiles> {
	const mounts = container.mounts.filter(mount => isLookedInto(mount, policy, surroundings));
	if (mounts.length === 0) {
		return nothing;
	}

	const rootOf = (index: number) => `/holdfast-look/${index}`;
	const question: Question = {
		mounts: mounts.map((mount, index) => ({
			root: rootOf(index),
			path: mount.path,
			nested: [
				...container.mounts.map(({path}) => path).filter(path => path !== mount.path && isInside(path, mount.path)),
				...(ownIn(mount, surroundings.agent) ?? []).map(path => inside(mount.path, path)),
			],
		})),
		patterns: policy.all ? null : policy.patterns,
		most: mostDatabases,
	};
	const workforce = await hire();
	try {
		const {run} = await workforce.repository(
			mounts.map((mount, index) => shownAt(mount, {to: rootOf(index), readOnly: true})),
			'read',
		);
		const running = await run({argv: program, stdin: true, signal});
		running.stdin.end(JSON.stringify(question));
		const [said, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
		if (exitCode !== 0) {
			throw new RunError(`SQLite databases cannot be looked for in the mounts of \`${container.name}\`: ${lastLines(stderr)}`);
		}

		return found.parse(JSON.parse(said));
	} finally {
		await workforce.dismiss();
	}
}

/** What the plan would refuse is not read; what `volumes=true` passes over is neither, unless a pattern names it. */
function isLookedInto(mount: Mount, {all, patterns}: SqlitePolicy, {dataRoot, agent}: Omit<Means, 'hire'>): boolean {
	const objection = objectionTo(mount, {dataRoot, self: agent, claims: []});
	if (all) {
		return objection === undefined && readOnlyObjection(mount) === undefined;
	}

	return (objection === undefined || objection.kind === 'passed over') && patterns.some(pattern => mayReach(pattern, mount.path));
}

/** What stands before the first character that stands for others. */
function mayReach(pattern: string, folder: string): boolean {
	const fixed = pattern.split('/').filter((_, index, parts) => parts.slice(0, index + 1).every(part => !/[*?[\\]/.test(part)));
	const beginning = fixed.join('/') || '/';
	return isInside(folder, beginning) || isInside(beginning, folder);
}
