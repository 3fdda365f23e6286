/** Commands that are started in a container. */
import type {Duplex} from 'node:stream';
import {answered} from '../../base/patience.ts';
import {unlessGone} from '../refusal.ts';
import {type Client, limited} from './client.ts';

/** A command has begun by then, on an engine that is busy with others, too. */
const execDeadlineMs = 120_000;

export interface ExecOptions {
	argv: readonly string[];
	env: readonly string[];
	user?: string | undefined;
	stdin: boolean;
}

/** One process started in a container. */
export interface EngineExec {
	/** Multiplexed output; writing is standard input. Its end says nothing about success. */
	stream: Duplex;
	inspect: () => Promise<{running: boolean; exitCode: number | null}>;
}

export interface Commands {
	exec: (id: string, options: ExecOptions) => Promise<EngineExec>;
	/** What was started in it by `exec`, by whomever, and still runs. */
	executing: (id: string) => Promise<string[][]>;
}

export const commands = ({docker}: Client): Commands => ({
	async exec(id, {argv, env, user, stdin}) {
		const exec = await docker.getContainer(id).exec({
			Cmd: [...argv],
			Env: [...env],
			AttachStdin: stdin,
			AttachStdout: true,
			AttachStderr: true,
			...(user === undefined ? {} : {User: user}),
			...limited(),
		});
		const stream = await answered('the start of a command', exec.start({hijack: true, stdin}), {
			withinMs: execDeadlineMs,
			late: each => each.destroy(),
		});
		return {
			stream,
			async inspect() {
				const {Running: running, ExitCode: exitCode} = await exec.inspect(limited());
				return {running, exitCode};
			},
		};
	},
	async executing(id) {
		const {ExecIDs: ids} = await docker.getContainer(id).inspect(limited());
		const found = await Promise.all((ids ?? []).map(async each => docker.getExec(each).inspect(limited()).catch(unlessGone)));
		return found.flatMap(each =>
			each?.Running ? [[each.ProcessConfig.entrypoint, ...((each.ProcessConfig.arguments as string[] | null) ?? [])]] : [],
		);
	},
});
