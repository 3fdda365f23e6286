// An engine behind TLS, for tests: it runs in a container of its own that has the socket, and lets in whoever shows a certificate of its authority.
// KEYS is a folder with `ca.pem`, `server-cert.pem` and `server-key.pem`.
import {readFileSync} from 'node:fs';
import {connect} from 'node:net';
import process from 'node:process';
import {createServer} from 'node:tls';

const read = (name: string): Buffer => readFileSync(`${process.env.KEYS}/${name}`);

createServer(
	{
		ca: read('ca.pem'),
		cert: read('server-cert.pem'),
		key: read('server-key.pem'),
		requestCert: true,
		rejectUnauthorized: true,
		allowHalfOpen: true,
	},
	client => {
		const engine = connect({path: '/var/run/docker.sock', allowHalfOpen: true});
		for (const [from, to] of [
			[client, engine],
			[engine, client],
		] as const) {
			from.on('error', () => to.destroy());
			from.pipe(to);
		}
	},
).listen(2376);
