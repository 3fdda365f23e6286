/** The command line over a real connection to a fake agent, with what it printed. */

import {PassThrough} from 'node:stream';
import type {ExecutionContext} from 'ava';
import {createClient} from '../../../agent/api/client.ts';
import type {Surroundings} from '../../../agent/cli/context.ts';
import {runCli} from '../../../agent/cli/run.ts';
import {createFakeAgent, type FakeAgent} from './fake-agent.ts';
import {serveAgent} from './server.ts';

export interface Terminal {
	/** All three streams are a terminal of this width. */
	columns?: number;
	/** What is typed; without it the input stays open and empty. */
	input?: string;
}

export interface Printed {
	code: number;
	out: string;
	err: string;
}

export interface CliTest {
	agent: FakeAgent;
	run: (argv: string, terminal?: Terminal, surroundings?: Partial<Surroundings>) => Promise<Printed>;
	/** Starts it; what is printed can be read meanwhile. */
	start: (
		argv: readonly string[],
		terminal?: Terminal,
		surroundings?: Partial<Surroundings>,
	) => {done: Promise<number>; out: () => string; err: () => string};
	stopServer: () => Promise<void>;
}

/** The time on the command line's clock. */
const clock = Date.parse('2026-11-03T12:00:00.000Z');

export async function createCliTest(t: ExecutionContext, {goneMs}: {goneMs?: number} = {}): Promise<CliTest> {
	const agent = createFakeAgent();
	const server = await serveAgent(t, agent);

	const start: CliTest['start'] = (argv, {columns, input} = {}, surroundings = {}) => {
		const stdout = capture(columns);
		const stderr = capture(columns);
		const stdin = Object.assign(new PassThrough(), {isTTY: columns !== undefined});
		if (input !== undefined) {
			stdin.end(input);
		}

		const done = runCli(argv, {
			connect: () => createClient({url: server.url, token: 'token', goneMs}),
			connectFleet: async () => undefined,
			startAgent: async () => 0,
			startBot: async () => 0,
			version: '1.2.3',
			stdin,
			stdout: stdout.stream,
			stderr: stderr.stream,
			interrupted: new AbortController().signal,
			colour: false,
			now: () => clock,
			...surroundings,
		});
		return {done, out: stdout.text, err: stderr.text};
	};

	return {
		agent,
		start,
		async run(argv, terminal, surroundings) {
			const {done, out, err} = start(argv === '' ? [] : argv.split(' '), terminal, surroundings);
			const code = await done;
			return {code, out: out(), err: err()};
		},
		stopServer: server.close,
	};
}

function capture(columns: number | undefined) {
	let text = '';
	const stream = Object.assign(new PassThrough(), columns === undefined ? {} : {isTTY: true, columns});
	stream.on('data', chunk => {
		text += chunk;
	});
	return {stream, text: () => text};
}
