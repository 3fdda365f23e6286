/** Commands of a stream in its container, by docker exec: they want what the container gives them, its network, environment and user. */
import {type Command, type Exit, exitOf, lastLines, output, type Place, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {duration} from '../../../base/units.ts';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import type {StreamPolicy} from './labels.ts';

export interface StreamContainer {
	/** Starts one of its commands, which what it leaves behind can be told by. */
	run: (command: Pick<Command, 'argv' | 'stdin' | 'signal'>) => Promise<Running>;
	/** Ends what an earlier life of the agent, or a command that was cancelled, left running. */
	endLeft: () => Promise<void>;
	/** None can be asked anything that is not a program. */
	hasShell: () => Promise<boolean>;
}

/** In the environment of all that a command starts, and of nobody else: also where the container sees the processes of others. */
const variable = 'HOLDFAST_STREAM';

/** `sh -c SCRIPT sh VARIABLE=VALUE` kills all that have it, until none is left. */
const killer = `for try in 1 2 3 4 5 6 7 8 9 10; do
	found=
	for process in /proc/[0-9]*; do
		tr '\\0' '\\n' <"$process/environ" 2>/dev/null | grep -qxF -e "$1" || continue
		found=1
		kill -KILL "\${process#/proc/}" 2>/dev/null
	done
	[ -n "$found" ] || exit 0
	sleep 0.2
done
exit 1`;

export function streamContainer(
	engine: Engine,
	{id}: {id: string},
	{stream, user}: {stream: string; user?: string | undefined},
): StreamContainer {
	const place: Place = inContainer(engine, id);
	const mark = `${id.slice(0, 12)}/${stream}`;
	return {
		run: async command => place({...command, env: {[variable]: mark}, ...(user === undefined ? {} : {user})}),
		async endLeft() {
			const {exitCode} = await output(place, {argv: ['sh', '-c', killer, 'sh', `${variable}=${mark}`], user: '0'});
			if (exitCode === 1) {
				throw new RunError(`what an earlier command of \`stream:${stream}\` left running in its container does not end`);
			}
		},
		hasShell: async () => (await output(place, {argv: ['sh', '-c', ':'], ...(user === undefined ? {} : {user})})).exitCode === 0,
	};
}

export type Part = 'producer' | 'check' | 'restore';

const labelOfPart = (stream: string, part: Part): string => `stream.${stream}${part === 'producer' ? '' : `.${part}`}`;

/** The engine says what it could not start on the standard output. */
const notStarted = [126, 127];

/**
 * @param said the beginning, or the end, of what it wrote to its standard output
 * @throws {RunError} that names the label and the program, and no argument: those may be secrets
 */
export function assertWell(
	{exitCode, stderr, outOfMemory}: Exit,
	{stream, policy, part, said}: {stream: string; policy: StreamPolicy; part: Part; said: string},
): void {
	if (exitCode !== 0) {
		throw new RunError(
			`\`${label(labelOfPart(stream, part))}\` (\`${programOf(policy, part)}\`) ${exitOf({exitCode, outOfMemory})}: ${lastLines(stderr || (notStarted.includes(exitCode) ? said : ''))}`,
			noTerminal.test(stderr) ? {hint: 'it runs without a terminal: leave out what asks for one'} : {},
		);
	}
}

const noTerminal = /not a (?:tty|terminal)|inappropriate ioctl|\/dev\/tty/i;

const programOf = (policy: StreamPolicy, part: Part): string => (part === 'producer' ? policy.argv : policy[part])?.[0] ?? '';

/** Runs `work` with a signal that ends it after the time of the label. @throws {RunError} that says so */
export async function withinTime<Value>(
	{stream, policy, part, signal}: {stream: string; policy: StreamPolicy; part: Part; signal: AbortSignal},
	work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
	const limit = AbortSignal.timeout(policy.timeoutMs);
	try {
		return await work(AbortSignal.any([signal, limit]));
	} catch (error) {
		if (limit.aborted && !signal.aborted) {
			throw new RunError(
				`\`${label(labelOfPart(stream, part))}\` (\`${programOf(policy, part)}\`) did not end within ${duration(policy.timeoutMs / 1000)}`,
				{hint: `raise \`${label(`stream.${stream}.timeout`)}\` where it may take longer`},
			);
		}

		throw error;
	}
}
