/** Ports for servers that must know theirs before they listen. */
import {createServer} from 'node:net';
import process from 'node:process';

/** Linux gives those from 32768 on to whoever connects to somewhere: one of them is free only until then (`net.ipv4.ip_local_port_range`). */
const first = 20_000;
const count = 12_000;

const isFree = async (port: number): Promise<boolean> => {
	const server = createServer();
	return new Promise(resolve => {
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
};

let given = 0;

/** Another one for each process, and each time. */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = first + ((process.pid + given++ * 97) % count);
		if (await isFree(port)) {
			return port;
		}
	}
}
