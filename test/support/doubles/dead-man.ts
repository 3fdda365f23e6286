/** A small service of the kind of healthchecks.io, over real HTTP: checks by their address, each up, down or started. */
import {once} from 'node:events';
import {createServer, type IncomingHttpHeaders} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

export interface Heard {
	check: string;
	kind: 'start' | 'success' | 'fail';
	body: string;
}

/** What came to any other address: a webhook's. */
export interface Posted {
	path: string;
	headers: IncomingHttpHeaders;
	body: string;
}

export interface DeadMan {
	/** The address of a check; `host`: the name by which it is reached. */
	address: (check: string, host?: string) => string;
	posted: Posted[];
	/** In the order of their coming. */
	heard: Heard[];
	/** What it answers with; 200 without. */
	answer: (status: number) => void;
}

/** @param listen to whom it listens: containers come from elsewhere */
export async function startDeadMan(t: Pick<ExecutionContext, 'teardown'>, listen = '127.0.0.1'): Promise<DeadMan> {
	const heard: Heard[] = [];
	const posted: Posted[] = [];
	let status = 200;
	const server = createServer(async (request, response) => {
		const body = await text(request);
		const [, check, action] = /^\/ping\/([\w-]+)(?:\/(start|fail|\d+))?$/.exec(request.url ?? '') ?? [];
		if (request.method !== 'POST') {
			response.writeHead(404).end();
			return;
		}

		if (check === undefined) {
			posted.push({path: request.url ?? '', headers: request.headers, body});
			response.writeHead(status).end();
			return;
		}

		if (status === 200) {
			const kind = action === 'start' ? 'start' : action === undefined || action === '0' ? 'success' : 'fail';
			heard.push({check, kind, body});
		}

		response.writeHead(status).end('OK');
	});
	server.listen(0, listen);
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	return {
		address: (check, host = '127.0.0.1') => `http://${host}:${port}/ping/${check}`,
		heard,
		posted,
		answer(code) {
			status = code;
		},
	};
}
