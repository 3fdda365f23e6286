// A proxy in front of the engine's socket, for tests: it runs in a container of its own that has the socket, prints each kind of call once
// (`GET /containers/{id}/json`), and forbids those that ALLOWED, a JSON array of such lines, does not name. Without ALLOWED it allows all.
// What the lines of the file /tmp/forbidden name is forbidden as long as they are there.
import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type RequestOptions, request} from 'node:http';
import process from 'node:process';
import type {Duplex} from 'node:stream';

const port = 2375;
const allowed = process.env.ALLOWED === undefined ? undefined : new Set(JSON.parse(process.env.ALLOWED) as string[]);
const seen = new Set<string>();

/** Ids and names of containers, execs, volumes and networks. */
const kindOf = ({method = '', url = ''}: IncomingMessage): string => {
	const {pathname} = new URL(url, 'http://engine');
	return `${method} ${pathname.replace(/^(\/(?:containers|exec|volumes|networks)\/)(?!json$|create$|prune$)[^/]+/, '$1{id}')}`;
};

const forbiddenNow = (): string[] => {
	try {
		return readFileSync('/tmp/forbidden', 'utf8').split('\n');
	} catch {
		return [];
	}
};

const isAllowed = (incoming: IncomingMessage): boolean => {
	const kind = kindOf(incoming);
	const verdict = (allowed === undefined || allowed.has(kind)) && !forbiddenNow().includes(kind);
	const line = `${verdict ? 'called' : 'forbidden'} ${kind}`;
	if (!seen.has(line)) {
		seen.add(line);
		console.log(line);
	}

	return verdict;
};

const upstream = ({method, url, rawHeaders}: IncomingMessage): RequestOptions => ({
	socketPath: '/var/run/docker.sock',
	method,
	path: url,
	headers: rawHeaders,
	agent: false,
});

const server = createServer((incoming, outgoing) => {
	if (!isAllowed(incoming)) {
		outgoing.writeHead(403, {'content-type': 'application/json'}).end('{"message":"forbidden by the proxy"}');
		return;
	}

	const forwarded = request(upstream(incoming), answer => {
		outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
		outgoing.flushHeaders();
		answer.pipe(outgoing);
		answer.on('error', () => outgoing.destroy());
	});
	forwarded.on('error', () => outgoing.destroy());
	outgoing.on('close', () => forwarded.destroy());
	incoming.pipe(forwarded);
});

const headOf = ({statusCode, statusMessage, rawHeaders}: IncomingMessage): string => {
	const headers = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
	return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${headers}\r\n`;
};

/** An exec's streams: after the head they are the bytes of the process, both ways, each with an end of its own. */
server.on('upgrade', (incoming, client: Duplex, body: Buffer) => {
	client.on('error', () => {});
	if (!isAllowed(incoming)) {
		client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
		return;
	}

	const forwarded = request(upstream(incoming));
	forwarded.on('error', () => client.destroy());
	forwarded.on('response', answer => {
		client.write(headOf(answer));
		answer.pipe(client);
	});
	forwarded.on('upgrade', (answer, engine, head) => {
		client.write(headOf(answer));
		client.write(head);
		engine.on('error', () => client.destroy());
		client.on('close', () => engine.destroy());
		engine.pipe(client);
		client.pipe(engine);
	});

	const length = Number(incoming.headers['content-length'] ?? 0);
	let begun = body;
	const take = (chunk: Buffer) => {
		begun = Buffer.concat([begun, chunk]);
		if (begun.length >= length) {
			client.off('data', take).pause();
			client.unshift(begun.subarray(length));
			forwarded.end(begun.subarray(0, length));
		}
	};

	client.on('data', take);
	take(Buffer.alloc(0));
});

server.requestTimeout = 0;
server.listen(port, () => console.log('ready'));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
	process.on(signal, () => process.exit(0));
}
