/**
 * What an agent says that waits for its state: Swarm (`order: start-first`) ends the one before only when the new one is healthy, and that one waits
 * until the other has ended.
 */
import {createServer, type Server} from 'node:http';
import {explanation} from '../../base/errors.ts';
import {closeWithin, json, pathOf, send} from './answer.ts';
import type {ErrorBody, Health} from './wire.ts';

/** An update is over by then. Who waits longer has the state of an agent that stays, and is of no use to anybody. */
const patienceMs = 10 * 60_000;

export interface Standby {
	/** Answers from now on, if it does not yet. Where the port is taken, by the other agent most likely, that one answers. */
	waitFor: (why: Error) => void;
	close: () => Promise<void>;
}

export function createStandby({host, port}: {host?: string | undefined; port: number}, now: () => number = Date.now): Standby {
	const begun = now();
	let answering: {server: Server; body: ErrorBody} | undefined;

	const answer = (path: string, {error, hint}: ErrorBody) => {
		const healthy = now() - begun < patienceMs;
		const health: Health = {healthy, problems: [`${error}${hint === undefined ? '' : ` (${hint})`}`]};
		return path === '/healthz' ? json(healthy ? 200 : 503, health) : json(503, {error, hint} satisfies ErrorBody);
	};

	return {
		waitFor(why) {
			const {message: error, hint} = explanation(why);
			const body: ErrorBody = {error, hint};
			if (answering !== undefined) {
				answering.body = body;
				return;
			}

			const one = {server: createServer((request, response) => send(request, response, answer(pathOf(request), one.body))), body};
			answering = one;
			one.server.on('error', () => {
				answering = undefined;
			});
			one.server.listen(port, host);
		},
		async close() {
			await (answering?.server.listening ? closeWithin(answering.server, 100) : undefined);
			answering = undefined;
		},
	};
}
