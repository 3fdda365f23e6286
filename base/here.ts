/** Runs commands in the agent's own container. The only file that starts programs. */
import {constants} from 'node:os';
import {env} from 'node:process';
import {PassThrough, pipeline, Writable} from 'node:stream';
import {execa} from 'execa';
import {type Command, type Place, type Running, stderrLimit} from './command.ts';
import {tailOf} from './tail.ts';

/** What a program may need of the agent's environment, and that holds no secret of ours. */
const inherited = [
	'PATH',
	'HOME',
	'LANG',
	'TMPDIR',
	'TZ',
	'SSL_CERT_DIR',
	'SSL_CERT_FILE',
	...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap(name => [name, name.toLowerCase()]),
];

const inheritedEnvironment = (): Record<string, string> =>
	Object.fromEntries(inherited.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])));

function start({argv: [program, ...rest], env: added, stdin, signal}: Command) {
	return execa(program, rest, {
		env: {...inheritedEnvironment(), ...added},
		extendEnv: false,
		stdin: stdin ? 'pipe' : 'ignore',
		buffer: false,
		reject: false,
		killDescendants: true,
		killSignal: 'SIGKILL',
		...(signal && {cancelSignal: signal}),
	});
}

/** A process that waits for a disk that is away cannot be killed; whoever cancelled it does not wait for that. */
const unkillableMs = 10_000;

const endedStdin = (): Writable => new Writable({write: (_chunk, _encoding, done) => done()}).end();

/**
 * `here` as a place. A command and all that it started are one process group, which is killed as a whole, also by the
 * command's own exit: nothing that it leaves behind keeps its output open. Death by a signal is exit code 128 + signal.
 */
export const here: Place = async command => {
	command.signal?.throwIfAborted();
	const subprocess = start(command);
	if (subprocess.pid === undefined) {
		const {cause, originalMessage} = await subprocess;
		throw new Error(`\`${command.argv[0]}\` cannot be started here: ${originalMessage}`, {cause});
	}

	const stdout = new PassThrough();
	pipeline(subprocess.stdout, stdout, () => {});
	// A stream that nobody reads would keep the command from ending, and a cut one must not look like a whole one
	const cut = () => stdout.destroy(command.signal?.reason);
	command.signal?.addEventListener('abort', cut, {once: true});
	stdout.on('error', () => {});
	const stderr = tailOf(subprocess.stderr, stderrLimit);
	const {onError} = command;
	if (onError !== undefined) {
		subprocess.stderr.on('data', (piece: Buffer) => onError(piece.toString()));
	}

	subprocess.stdin?.on('error', () => {});
	subprocess.nodeChildProcess.once('exit', () => subprocess.kill('SIGKILL'));

	const {promise: stuck, reject} = Promise.withResolvers<never>();
	stuck.catch(() => {});
	const giveUp = () => setTimeout(() => reject(command.signal?.reason), unkillableMs).unref();
	command.signal?.addEventListener('abort', giveUp, {once: true});

	const finish = async (): Running['done'] => {
		const {exitCode, signal, isCanceled, originalMessage} = await Promise.race([subprocess, stuck]);
		command.signal?.removeEventListener('abort', giveUp);
		command.signal?.removeEventListener('abort', cut);
		if (isCanceled) {
			throw command.signal?.reason;
		}

		if (exitCode === undefined && signal === undefined) {
			throw new Error(`\`${command.argv[0]}\` ended without an exit code: ${originalMessage}`);
		}

		return {exitCode: exitCode ?? 128 + constants.signals[signal as keyof typeof constants.signals], stderr: stderr()};
	};

	const done = finish();
	// Whoever gave up reading stdout may never look at it
	done.catch(() => {});
	return {
		stdin: subprocess.stdin ?? endedStdin(),
		stdout,
		done,
		async kill() {
			subprocess.kill('SIGKILL');
			stdout.destroy();
			await Promise.allSettled([done]);
		},
	};
};
