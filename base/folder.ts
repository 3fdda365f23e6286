/** Whether this process may use a folder that it was given; and if not, whose it is, and what a person can do. */
import {accessSync, constants, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Problem} from './problem.ts';

/** Who asks, and what is mounted: as the kernel says. */
export interface Circumstances {
	uid: number;
	/** CAP_DAC_OVERRIDE: modes and owners are nothing to it. */
	mayOverride: boolean;
	/** /proc/self/mountinfo */
	mounts: string;
}

/** CAP_DAC_OVERRIDE is bit 1. */
const override = 2n;

const circumstances = (): Circumstances => ({
	uid: process.getuid?.() ?? 0,
	mayOverride: (BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readIfThere('/proc/self/status'))?.[1] ?? '0'}`) & override) !== 0n,
	mounts: readIfThere('/proc/self/mountinfo'),
});

/** So many entries are looked at: what another user left in the folder shuts it as well as the folder itself. */
const entriesLookedAt = 100;

/**
 * Asks the kernel, which asks the server where the folder is on one; nothing is written. A folder that is not there, or that is on a file system
 * which is read-only, is no objection: who makes it, or may only read it, knows.
 */
export function examineFolder(path: string, known: () => Circumstances = circumstances): Problem | undefined {
	const shut = isShut({path, isFolder: true})
		? path
		: entriesOf(path).find(entry => isShut({path: entry, isFolder: statSync(entry, {throwIfNoEntry: false})?.isDirectory()}));
	return shut === undefined ? undefined : objection(path, shut, known());
}

/** Of a folder in which something was refused, although the kernel says that it may be used: it does not ask every server (not behind sshfs). */
export const explainRefusal = (path: string, known: () => Circumstances = circumstances): Problem => objection(path, path, known());

/** Whether nothing at all can be written there, whoever asks. */
export function isReadOnly(path: string): boolean {
	return codeOf(() => accessSync(path, constants.W_OK)) === 'EROFS';
}

function isShut({path, isFolder}: {path: string; isFolder: boolean | undefined}): boolean {
	// Most files are written once, and may be only read by anybody from then on.
	const isWritten = isFolder || /\.db(-wal|-shm)?$/.test(path);
	const refusals = [
		codeOf(() => accessSync(path, isFolder ? constants.R_OK | constants.X_OK : constants.R_OK)),
		isWritten ? codeOf(() => accessSync(path, constants.W_OK)) : undefined,
	];
	return refusals.some(code => code === 'EACCES' || code === 'EPERM');
}

function entriesOf(path: string): string[] {
	try {
		return readdirSync(path)
			.slice(0, entriesLookedAt)
			.map(name => join(path, name));
	} catch {
		return [];
	}
}

const squashing = /^(nfs|nfs4|cifs|smb3|9p|virtiofs|fuse\.(sshfs|rclone|s3fs))$/;

/** Pure, but for the look at whose it is. */
function objection(folder: string, shut: string, {uid, mayOverride, mounts}: Circumstances): Problem {
	const {owner, mode} = ownerOf(shut);
	const inside = shut === folder ? '' : `: \`${shut}\` in it`;
	const whose = `\`${folder}\`${inside} belongs to uid ${owner} (mode ${mode})`;
	const {type, source} = mountOf(folder, mounts);
	if (squashing.test(type)) {
		return {
			message: `${whose} on ${source} (${type}), and that server does not let Holdfast in, which is uid ${uid} here: it takes root for nobody (root_squash), as a rule`,
			hint: `on the server, export it with \`no_root_squash\`, or give the folder to the uid that it takes root for (\`anonuid\`, mostly 65534); neither \`chown\` from here nor a capability helps`,
		};
	}

	if (mayOverride) {
		return {
			message: `${whose}, and Holdfast may not use it, although it is uid ${uid} with the capability DAC_OVERRIDE: a user namespace (rootless, userns-remap) or SELinux stands between`,
			hint: `give the folder of the host to the user that the engine runs containers as, or mount it with \`:z\` where SELinux is on`,
		};
	}

	return {
		message: `${whose}, and Holdfast, which is uid ${uid} without the capability DAC_OVERRIDE, may not use it`,
		hint:
			owner === uid
				? `give it the mode 700 (\`sudo chmod -R u+rwX\` on the host's folder that is mounted there), or mount it with \`:z\` where SELinux is on`
				: `give it to uid ${uid} (\`sudo chown -R ${uid}\` on the host's folder that is mounted there); or add \`cap_add: [DAC_OVERRIDE]\` to the service of Holdfast`,
	};
}

function ownerOf(path: string): {owner: number | 'unknown'; mode: string} {
	try {
		const {uid: owner, mode} = statSync(path);
		return {owner, mode: (mode & 0o7777).toString(8)};
	} catch {
		return {owner: 'unknown', mode: 'unknown'};
	}
}

/** Pure: what is mounted at the path, or above it. */
function mountOf(path: string, mounts: string): {type: string; source: string} {
	let best = {point: '', type: '', source: ''};
	for (const line of mounts.split('\n')) {
		const [before = '', after = ''] = line.split(' - ');
		const point = before.split(' ')[4] ?? '';
		const [type = '', source = ''] = after.split(' ');
		const isAbove = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
		if (point !== '' && isAbove && point.length >= best.point.length) {
			best = {point, type, source};
		}
	}

	return best;
}

function codeOf(attempt: () => void): string | undefined {
	try {
		attempt();
		return undefined;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code;
	}
}

function readIfThere(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
