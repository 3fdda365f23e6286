/**
 * The way to the Docker Engine. Calls carry no API version (engine 29 refuses those below 1.44). Each has a limit: an engine that does not answer by then hangs or is gone.
 */
import '../unused.ts';
import Dockerode from 'dockerode';

/** A call that has not answered by then is given up. */
export const callDeadlineMs = 60_000;

/** A volume of a million files takes its time, and while one is removed the engine (20.10) lets every other wait. */
const removalDeadlineMs = 10 * 60_000;

export interface Client {
	docker: Dockerode;
	/** Where the engine is, for messages. */
	address: string;
}

/** @param address as in `DOCKER_HOST` */
export const connect = (address: string, keys?: EngineKeys): Client => ({docker: new Dockerode(parseAddress(address, keys)), address});

/** What an engine behind TLS is known by, and knows its client by: PEM. */
export interface EngineKeys {
	/** Where they are. Whoever has them is root on the engine's host. */
	folder: string;
	ca: string;
	cert: string;
	key: string;
}

/** `unix:///path`, `/path` or `tcp://host:port`, as in `DOCKER_HOST`; a socket needs no keys. */
export function parseAddress(address: string, keys?: EngineKeys): Dockerode.DockerOptions {
	if (address.startsWith('tcp://')) {
		const {hostname, port} = new URL(address);
		const place = {host: hostname.replace(/^\[|\]$/g, ''), port: port || '2375'};
		if (keys === undefined) {
			return {protocol: 'http', ...place};
		}

		const {ca, cert, key} = keys;
		return {protocol: 'https', ...place, ca, cert, key};
	}

	return {socketPath: address.replace(/^unix:\/\//, '')};
}

/** Among the options of a call. */
export const limited = (deadlineMs = callDeadlineMs) => ({abortSignal: AbortSignal.timeout(deadlineMs)});

/** The same, of what removes something. */
export const removing = () => limited(removalDeadlineMs);

/** Dockerode puts all that it sends into the address, too: a proxy before the engine logs it, the environment of a service among it, and refuses one that is long. */
export const apart = (query: object, body: object) => ({_query: query, _body: body, ...limited()});
