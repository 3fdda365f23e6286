/** Runs restic on one repository, and makes errors of how it ends. */
import {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import type {Command, Exit, Place, Running} from '../../base/command.ts';
import {RepositoryError} from '../../base/errors.ts';
import {examineFolder} from '../../base/folder.ts';
import {linesOf} from '../../base/lines.ts';
import {moving} from '../../base/patience.ts';
import {type Arguments, limits} from './argv.ts';
import {isOnlyGone, repositoryError} from './exit-codes.ts';
import {type Hold, holdingArgv, release} from './hold.ts';
import {type Message, parseMessage} from './messages.ts';
import type {Repository} from './repository.ts';
import type {ResticOptions} from './restic.ts';
import {publicLocation, redactor} from './secrets.ts';
import {soleArgv} from './sole.ts';
import {listenForTrouble, type Trouble, unreachableHint} from './trouble.ts';

export interface Call {
	/** For people, as the beginning of an error: `backup of /data`. */
	action: string;
	/** The verb, then its arguments. */
	arguments: Arguments;
	signal?: AbortSignal | undefined;
	hold?: Hold | undefined;
	/** Files that are gone when they are to be read are no failure. */
	live?: boolean | undefined;
	/** Text instead of JSON lines: some verbs tell their progress in text only. */
	plain?: true;
	/** The beginning of the id of the key to open it with. */
	key?: string | undefined;
	/** The folder that nobody else makes a repository of meanwhile. */
	sole?: string | undefined;
	/** Takes the error output, in pieces. */
	hear?: ((piece: string) => void) | undefined;
	/** A second repository, which is only read. */
	from?: Repository | undefined;
}

export interface Caller {
	/** `done` rejects for any exit code but 0. */
	start: (call: Call) => Promise<Running>;
	/** Resolves when restic exited with 0 and the reader is through. */
	read: <Result>(call: Call, reader: (stdout: Readable) => Promise<Result>) => Promise<Result>;
	/** What it printed. Has a time limit of its own, after which the repository counts as unreachable. */
	ask: (call: Call) => Promise<string>;
	/** An error for an exit code 0 that is none. */
	failed: (call: Call, message: string) => RepositoryError;
}

export function createCaller(
	place: Place,
	repository: Repository,
	{answerWithinMs = 60_000, cached = true, onTrouble = () => {}}: Pick<ResticOptions, 'answerWithinMs' | 'cached' | 'onTrouble'>,
): Caller {
	const redact = redactor(repository);
	const own = () => ({...environmentOf(repository), RESTIC_REPOSITORY: repository.location, RESTIC_PROGRESS_FPS: '2', TZ: 'UTC'});

	const commandOf = ({arguments: [verb = '', ...rest], signal, hold, plain, key, sole, from}: Call): Command => {
		const environment = {
			...(from === undefined ? {} : environmentOfSecond(from)),
			...own(),
			...(key === undefined ? {} : {RESTIC_KEY_HINT: key}),
		};
		const options = Object.entries({...from?.options, ...repository.options}).map(([name, value]) => `--option=${name}=${value}`);
		// With a cache that it may not write, restic does not even begin.
		const cache =
			cached && examineFolder(repository.cacheDirectory) === undefined ? `--cache-dir=${repository.cacheDirectory}` : '--no-cache';
		const restic = ['restic', verb, ...(plain ? [] : ['--json']), cache, ...limits(repository), ...options, ...rest] as const;
		const argv = hold ? holdingArgv(restic) : sole === undefined ? restic : soleArgv(sole, restic);
		return {argv, env: environment, signal, stdin: hold !== undefined};
	};

	const check = (call: Call, exit: Exit): void => {
		if (exit.exitCode !== 0 && !(call.live === true && isOnlyGone(exit))) {
			const {from} = call;
			throw repositoryError({
				action: call.action,
				repository: from === undefined ? nameOf(repository) : `${nameOf(repository)} or ${nameOf(from)}`,
				exit,
				redact: from === undefined ? redact : text => redactor(from)(redact(text)),
			});
		}
	};

	const failed = (call: Call, message: string): RepositoryError => new RepositoryError('failed', redact(`${call.action}: ${message}`));

	/** `hopeless` fires when restic is ended for its own trouble; whatever its end looks like, the signal's reason is why. */
	const begin = async (call: Call): Promise<Running & {trouble: Trouble; hopeless: AbortSignal}> => {
		const hopeless = new AbortController();
		const name = call.from === undefined ? nameOf(repository) : `${nameOf(repository)} or ${nameOf(call.from)}`;
		const clean = (reason: string) => redact(call.from === undefined ? reason : redactor(call.from)(reason));
		const trouble = listenForTrouble({
			onRetry: reason => onTrouble(`${call.action}: ${name} does not answer, restic tries again: ${clean(reason)}`),
			onHopeless(problem, reason, hint) {
				const what = problem === 'refused' ? 'lets nobody write a lock' : 'cannot be reached';
				hopeless.abort(new RepositoryError(problem, `${call.action}: ${name} ${what}: ${clean(reason)}`, {hint}));
			},
		});
		const signal = call.signal ? AbortSignal.any([call.signal, hopeless.signal]) : hopeless.signal;
		const onError = (piece: string): void => {
			trouble.hear(piece);
			call.hear?.(piece);
		};
		const running = await place({...commandOf(call), signal, onError});
		const done = running.done.then(exit => {
			check(call, exit);
			return exit;
		});
		done.catch(() => {});
		/** What belongs to no run, which would end it: somebody's question, a look. */
		const unlessStill = async function* () {
			try {
				yield* moving(running.stdout, `${call.action} from ${name}`);
			} catch (error) {
				hopeless.abort(error);
				throw error;
			}
		};
		const stdout = call.signal === undefined ? Readable.from(unlessStill(), {objectMode: false}) : running.stdout;
		stdout.on('error', () => {});
		return {...running, stdout, done, trouble, hopeless: hopeless.signal};
	};

	const start = async (call: Call): Promise<Running> => begin(call);

	const read = async <Result>(
		call: Call,
		reader: (stdout: Readable) => Promise<Result>,
		onFailed: (trouble: Trouble) => void = () => {},
	): Promise<Result> => {
		const running = await begin(call);
		try {
			// Why it was not let go is what is told, not how it ended then.
			const released = call.hold === undefined ? running.done : release(running, call.hold).then(async () => running.done);
			const [result] = await Promise.all([reader(running.stdout), released]);
			return result;
		} catch (error) {
			// Asked before it is killed: that its output breaks off then is no trouble of its own.
			const isHopeless = running.hopeless.aborted && !call.signal?.aborted;
			await running.kill();
			onFailed(running.trouble);
			throw isHopeless ? running.hopeless.reason : error;
		}
	};

	/** What it printed. With a time limit of its own, which means that the repository cannot be reached. */
	const ask = async (call: Call): Promise<string> => {
		const timeout = AbortSignal.timeout(answerWithinMs);
		const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
		let reason: string | undefined;
		try {
			return await read({...call, signal}, text, trouble => {
				reason = trouble.reason();
			});
		} catch (error) {
			if (timeout.aborted && !call.signal?.aborted) {
				const why = reason === undefined ? '' : `: ${redact(reason)}`;
				throw new RepositoryError(
					'unreachable',
					`${call.action}: ${nameOf(repository)} gave no answer within ${answerWithinMs / 1000} s${why}`,
					{
						hint: unreachableHint(reason),
					},
				);
			}

			throw error;
		}
	};

	return {start, read, ask, failed};
}

const nameOf = ({name, location}: Repository): string => `repository \`${name}\` (${publicLocation(location)})`;

/** With the key that is the quickest to open, unless a person named one. */
function environmentOf({env, quickKey}: Repository): Record<string, string> {
	const hint = quickKey?.hint();
	return hint === undefined ? {...env} : {RESTIC_KEY_HINT: hint, ...env};
}

/** restic has names of its own for what opens a second repository; the rest of the environment is one for both. */
function environmentOfSecond(repository: Repository): Record<string, string> {
	const {location} = repository;
	const {RESTIC_PASSWORD: password, RESTIC_KEY_HINT: hint, ...env} = environmentOf(repository);
	return {
		...env,
		RESTIC_FROM_REPOSITORY: location,
		...(password === undefined ? {} : {RESTIC_FROM_PASSWORD: password}),
		...(hint === undefined ? {} : {RESTIC_FROM_KEY_HINT: hint}),
	};
}

/** Reads JSON lines to the end; those of no interest are left out. */
export async function eachMessage(stdout: Readable, read: (message: Message) => void): Promise<void> {
	await eachLine(stdout, line => {
		const message = parseMessage(line);
		if (message) {
			read(message);
		}
	});
}

export async function eachLine(stdout: Readable, read: (line: string) => void): Promise<void> {
	for await (const line of linesOf(stdout)) {
		read(line);
	}
}

/** Reads the progress that restic tells in text, `[0:12] 50.00%  3 / 6 packs`, to the end. */
export async function eachCount(stdout: Readable, read: (count: {done: number; total: number; unit: string}) => void): Promise<void> {
	for await (const line of linesOf(stdout)) {
		const [, done, total, unit = ''] = /^\[[\d:]+\]\s+[\d.]+%\s+(\d+) \/ (\d+) (.+)$/.exec(line) ?? [];
		if (done !== undefined) {
			read({done: Number(done), total: Number(total), unit});
		}
	}
}
