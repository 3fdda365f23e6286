/** A small service of the kind of healthchecks.io, over real HTTP: checks by their address, each up, down or started. */
import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

export interface Heard {
	check: string;
	kind: 'start' | 'success' | 'fail';
	body: string;
}

export interface DeadMan {
	/** The address of a check. */
	address: (check: string) => string;
	/** In the order of their coming. */
	heard: Heard[];
	/** What it answers with; 200 without. */
	answer: (status: number) => void;
}

export async function startDeadMan(t: Pick<ExecutionContext, 'teardown'>): Promise<DeadMan> {
	const heard: Heard[] = [];
	let status = 200;
	const server = createServer(async (request, response) => {
		const body = await text(request);
		const [, check, action] = /^\/ping\/([\w-]+)(?:\/(start|fail|\d+))?$/.exec(request.url ?? '') ?? [];
		if (check === undefined || request.method !== 'POST') {
			response.writeHead(404).end();
			return;
		}

		if (status === 200) {
			const kind = action === 'start' ? 'start' : action === undefined || action === '0' ? 'success' : 'fail';
			heard.push({check, kind, body});
		}

		response.writeHead(status).end('OK');
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	return {
		address: check => `http://127.0.0.1:${port}/ping/${check}`,
		heard,
		answer(code) {
			status = code;
		},
	};
}
