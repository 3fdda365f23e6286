/** The SQLite databases of a member. */
import {quote} from '../../../base/reading/quote.ts';
import type {Mount} from '../../../docker/container.ts';
import {describeMounts, inside, isInside, mountOf} from '../../../docker/storage.ts';
import type {Asked, Scope} from '../kind.ts';
import {type Claim, objectionTo, ownIn, whyOwn} from '../objections.ts';
import type {PlannedSource} from '../source.ts';
import {type FoundFiles, mostDatabases} from './find.ts';
import type {SqlitePolicy} from './labels.ts';

/** `mount` holds the file; `path` is in the container. */
export interface PlannedFile extends PlannedSource {
	kind: 'sqlite';
	path: string;
	mount: Mount;
	/** How long its application may have it for itself alone. */
	lockTimeoutMs?: number | undefined;
}

type SqliteScope = Scope<SqlitePolicy, FoundFiles>;

export function sqliteSources(scope: SqliteScope): PlannedFile[] {
	const planned = [...scope.policy.paths, ...foundBy(scope)].flatMap(path => planFile(scope, path));
	noteOthers(scope, planned);
	return planned;
}

/** Who names databases alone leaves out what lies beside them (attachments, keys), and may not know. */
function noteOthers({choosesMounts, prefix, remarks}: SqliteScope, planned: readonly PlannedFile[]): void {
	for (const path of choosesMounts ? [] : new Set(planned.map(({mount}) => mount.path))) {
		remarks.note(
			`of the mount ${quote(path)} only SQLite databases are backed up, and none of its other files: \`${prefix}volumes=${path}\` takes them, too (\`false\`: it is meant so)`,
		);
	}
}

/** What patterns name beside the paths. A file that is no database, and that another source may hold, is none of ours. */
function foundBy({policy, answer, hasOthers, choosesMounts, prefix, remarks}: SqliteScope): string[] {
	const label = `\`${prefix}sqlite\``;
	if (answer === undefined) {
		if (policy.all || policy.patterns.length > 0) {
			remarks.problem(`which databases ${label} names is not known: nobody could look into the mounts`);
		}

		return [];
	}

	const {found, isCut, unreadable} = answer;
	if (isCut) {
		remarks.problem(
			`${label} names more than ${mostDatabases} databases`,
			`name fewer, or take them as files: \`${prefix}volumes\` with \`${prefix}quiesce=stop\``,
		);
	}

	if (unreadable.length > 0) {
		const some = unreadable.slice(0, 3).map(quote).join(', ');
		remarks.problem(`${label} reaches what cannot be read, or whose name is no UTF-8: ${some}`, 'use patterns that leave it out');
	}

	const others = found.filter(({isDatabase, path}) => (hasOthers || choosesMounts) && !isDatabase && !policy.paths.includes(path));
	for (const {path} of others) {
		remarks.note(
			`${quote(path)} is named by ${label} and is not readable as SQLite (encrypted, or no database): it is no source of that kind`,
		);
	}

	const paths = found.map(({path}) => path).filter(path => !policy.paths.includes(path) && !others.some(other => other.path === path));
	if (paths.length + policy.paths.length === 0) {
		const nothing = `${label} finds no SQLite database: ${policy.all ? 'in no mount' : policy.patterns.map(quote).join(', ')}`;
		if (hasOthers || choosesMounts) {
			remarks.note(nothing);
		} else {
			remarks.problem(nothing);
		}
	}

	return paths.sort();
}

function planFile({container, answer, group, grounds, prefix, lockTimeoutMs, remarks}: SqliteScope, path: string): PlannedFile[] {
	const mount = mountOf(path, container);
	const label = `\`${prefix}sqlite\``;
	if (mount === undefined) {
		remarks.problem(`${label} must name files in a mount, and ${quote(path)} is outside every mount: ${describeMounts(container)}`);
		return [];
	}

	const name = `${group}sqlite:${path}`;
	const amiss = answer?.amiss?.find(each => each.path === path);
	if (amiss !== undefined) {
		remarks.miss(name, `${label} names ${quote(path)}, which ${amiss.why}`, amiss.hint);
		return [];
	}

	if (mount.path === path) {
		remarks.problem(
			`${label} must name files in a mounted folder, and ${quote(path)} is mounted by itself, so its \`-wal\` is elsewhere and would be lost`,
			`mount the folder that the database is in, or take it as a file of which the application has let go: \`${prefix}volumes\` with \`${prefix}quiesce=stop\``,
		);
		return [];
	}

	const objection = objectionTo(mount, grounds);
	if (objection !== undefined && objection.kind !== 'passed over') {
		remarks.problem(`${label} must not reach into the mount ${quote(mount.path)}: it ${objection.why}, got ${quote(path)}`);
		return [];
	}

	const own = (ownIn(mount, grounds.self) ?? []).map(folder => inside(mount.path, folder)).find(folder => isInside(path, folder));
	if (own !== undefined) {
		remarks.problem(`${label} must not reach into ${quote(own)}: it is ${whyOwn}, got ${quote(path)}`);
		return [];
	}

	return [{name, container, kind: 'sqlite', path, mount, ...(lockTimeoutMs === undefined ? {} : {lockTimeoutMs})}];
}

/** The database and what SQLite keeps beside it. */
const filesOf = (path: string): string[] => ['', '-wal', '-shm', '-journal'].map(ending => path + ending);

/** A folder in the place of one is files like others. */
const pathsThere = ({paths}: SqlitePolicy, answer: FoundFiles | undefined): string[] =>
	paths.filter(path => !answer?.amiss?.some(each => each.path === path));

/** No volume takes them, whichever shows them. */
export const claimedFiles = ({container, policy}: Asked<SqlitePolicy>, answer: FoundFiles | undefined): Claim[] =>
	[...pathsThere(policy, answer), ...(answer?.found ?? []).flatMap(({path, isDatabase}) => (isDatabase ? [path] : []))].flatMap(file => {
		const mount = mountOf(file, container);
		return mount === undefined || mount.path === file
			? []
			: filesOf(file).map(path => ({mount, path, why: 'is backed up as a SQLite database', isTold: false}));
	});
