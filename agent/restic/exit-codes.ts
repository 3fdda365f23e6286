/** Turns restic's exit codes and its last words into our errors. */
import {type Exit, exitOf, killedCode, lastLines, stderrLimit} from '../../base/command.ts';
import {RepositoryError, type RepositoryProblem} from '../../base/errors.ts';
import {parseMessage, withoutStack} from './messages.ts';
import {knownHint, refusedHint, unreachableHint} from './trouble.ts';

/** How many unreadable files an error names. */
const namedFiles = 10;

const unreadable = 3;

interface LastWords {
	/** What could not be read or written, with the reason. */
	items: string[];
	/** Of those, what could not be restored. */
	unwritten: string[];
	/** The final message, or the last lines of plain text. */
	said: string;
	/** Everything, to look for a known reason in. */
	all: string;
}

/** stderr of restic, taken apart. A cut first line is dropped: it could hold half a secret, which no search finds. */
function lastWords(stderr: string): LastWords {
	const isCut = Buffer.byteLength(stderr) >= stderrLimit - 4;
	const lines = withoutStack(isCut ? stderr.slice(stderr.indexOf('\n') + 1) : stderr).split('\n');
	const items: string[] = [];
	const unwritten: string[] = [];
	const texts: string[] = [];
	let said = '';
	for (const message of lines.map(parseMessage)) {
		if (message?.message_type === 'error') {
			const item = [message.item, message.error.message].filter(Boolean).join(': ');
			items.push(item);
			unwritten.push(...(message.during === 'restore' ? [item] : []));
		} else if (message?.message_type === 'exit_error') {
			said = message.message;
		} else if (message?.message_type === 'text') {
			texts.push(message.text);
			// Why the producer of a stream failed is known to nobody else; behind what a check found, it gives long advice
			const [, reason, damage] =
				/^(?:subprocess \S+: (.+)|((?:pack [0-9a-f]{8,}|error for tree|tree [0-9a-f]{8}).*))/.exec(message.text) ?? [];
			items.push(...[reason ?? damage].filter(item => item !== undefined));
		}
	}

	return {items, unwritten, said: said || lastLines(texts.join('\n')), all: [...texts, ...items, said].join('\n')};
}

const problemsByCode: Readonly<Record<number, RepositoryProblem>> = {10: 'missing', 11: 'locked', 12: 'wrong-password'};

/** Of MinIO, Backblaze and rclone's services, too. */
const fullTexts =
	/no space left on device|disk quota exceeded|not enough space|insufficient storage|StorageFull|minimum free drive threshold|storage ?cap ?exceeded|storage ?quota ?exceeded|\bquota ?exceeded/i;
const unreachableTexts =
	/connection refused|connection reset|unable to start the sftp session|dial tcp|no such host|could not resolve host|name or service not known|network is unreachable|no route to host|i\/o timeout|TLS handshake timeout|connection timed out|request timeout|unexpected HTTP response \(50[0234]\)|service unavailable|bad gateway|gateway time-?out|SlowDown|reduce your request rate/i;

/** Where there was no room, if that was not in the repository: the worker's own folders, or what a restore writes to. */
const cacheTexts = /(?:^|[\s"])\/(?:cache\/|tmp\/restic-)[^\n:]*: no space left on device/im;

/** Of what is written or removed in the repository: a file that a backup may not read is no such thing. */
const refusedTexts =
	/(?:Remove|Save)\(<\w+\/[0-9a-f]+>\) (?:failed|returned error).*(?:403|forbidden|access ?denied|not permitted|permission denied|read-only file system)|unable to create lock in backend:.*(?:403|forbidden|access ?denied|permission denied|read-only file system)/i;

function problemOf(exitCode: number, text: string): RepositoryProblem {
	const known = problemsByCode[exitCode];
	if (known) {
		return known;
	}

	return fullTexts.test(text) ? 'full' : unreachableTexts.test(text) ? 'unreachable' : refusedTexts.test(text) ? 'refused' : 'failed';
}

/** `locked exclusively by PID 7 on vm by root (UID 0, GID 0) since 2026-01-31 12:00:00 UTC`. */
function lockedBy(text: string): string {
	const [, exclusively = '', owner] = /already locked( exclusively)? by (.+)/.exec(text) ?? [];
	const [, since] = /lock was created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/.exec(text) ?? [];
	return owner ? `locked${exclusively} by ${owner}${since ? ` since ${since} UTC` : ''}` : `locked: ${lastLines(text)}`;
}

const namesOf = (items: readonly string[]): string => {
	const named = items.slice(0, namedFiles).join('; ');
	return items.length > namedFiles ? `${named}; and ${items.length - namedFiles} or more others` : named;
};

const hints: Partial<Record<RepositoryProblem, string>> = {
	missing: 'check the location, and that its volume is mounted',
	'wrong-password': 'it opens only with the password that it was made with',
	locked: 'wait until that has ended; when its owner is certainly gone, remove the lock with `restic unlock`',
	full: 'make room, or prune',
	unreachable: unreachableHint(),
	refused: refusedHint,
};

const memoryHint = 'give it more: `mem_limit` of the agent, which its workers have too, or `HOLDFAST_WORKER_MEMORY`';

/** All that could not be read was gone when it was to be read; as far as restic's last words tell. */
export function isOnlyGone({exitCode, stderr}: Pick<Exit, 'exitCode' | 'stderr'>): boolean {
	const {items} = exitCode === unreadable ? lastWords(stderr) : {items: []};
	return items.length > 0 && items.every(item => /no such file or directory/i.test(item));
}

export interface Failure {
	/** For people: `backup of /data`. */
	action: string;
	/** For people: `repository \`primary\` (/repository)`. */
	repository: string;
	exit: Exit;
	redact: (text: string) => string;
}

/** The error that a restic command other than a successful one means. */
export function repositoryError({action, repository, exit: {exitCode, stderr, outOfMemory}, redact}: Failure): RepositoryError {
	const {items, unwritten, said, all} = lastWords(stderr);
	const fail = (problem: RepositoryProblem, message: string): RepositoryError =>
		new RepositoryError(problem, redact(message), {hint: knownHint(all) ?? hints[problem]});
	const isRefused = exitCode === unreadable && items.length === 0 && refusedTexts.test(all);
	if (exitCode === unreadable && !isRefused) {
		return fail('failed', `${action}: could not be read completely: ${namesOf(items) || said}`);
	}

	if (exitCode === killedCode) {
		const how = [exitOf({exitCode, outOfMemory}), said].filter(Boolean).join(': ');
		return new RepositoryError('failed', redact(`${action}: restic ${how}`), {hint: memoryHint});
	}

	const reason = [...new Set([...items.slice(0, 3), said])].filter(Boolean).join('; ') || '(it printed nothing)';
	const [noRoom] = [
		...(unwritten.some(item => fullTexts.test(item)) ? ['where it is restored to'] : []),
		...(cacheTexts.test(all) ? ["in Holdfast's own cache or temporary folder"] : []),
	];
	if (noRoom !== undefined) {
		return new RepositoryError('failed', redact(`${action}: there is no room ${noRoom}: ${reason}`), {hint: 'make room there'});
	}

	const problem = isRefused ? 'refused' : problemOf(exitCode, all);
	const messages: Record<RepositoryProblem, string> = {
		missing: `${action}: ${repository} does not exist`,
		'wrong-password': `${action}: wrong password for ${repository}`,
		locked: `${action}: ${repository} is ${lockedBy(all)}`,
		full: `${action}: ${repository} is full: ${reason}`,
		unreachable: `${action}: ${repository} cannot be reached: ${reason}`,
		refused: `${action}: ${repository} refuses it: ${lastLines(refusedTexts.exec(all)?.[0] ?? reason)}`,
		failed: `${action}: restic exited with ${exitCode}: ${reason}`,
	};
	return fail(problem, messages[problem]);
}
