/** Watches the host while something runs: what every process is called with, what the engine tells, and how workers are configured. */
import {setTimeout as delay} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import {docker} from '../docker.ts';

export interface Seen {
	/** Distinct command lines of all processes of the host, containers included; arguments are joined with spaces. */
	commands: string[];
	/** `docker inspect` of every worker, by its name, as it was while it lived. */
	workers: ReadonlyMap<string, string>;
	/** What `docker events` printed. */
	events: string;
}

const sampler = fileURLToPath(new URL('spy-processes.ts', import.meta.url));

/** Returns the function that ends the watch. */
export const spy = (): (() => Promise<Seen>) => {
	const ending = new AbortController();
	const processes = execa('node', ['--disable-warning=ExperimentalWarning', sampler], {preferLocal: true, maxBuffer: 256_000_000});
	const events = execa('docker', ['events', '--format', '{{json .}}'], {reject: false, maxBuffer: 256_000_000});
	const workers = new Map<string, string>();
	const watching = watchWorkers(workers, ending.signal);
	return async () => {
		ending.abort();
		await watching;
		events.kill();
		processes.stdin.end();
		const commands = JSON.parse((await processes).stdout) as string[];
		return {commands, workers, events: `${(await events).stdout}`};
	};
};

const watchWorkers = async (seen: Map<string, string>, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted) {
		const names = (await docker(['ps', '--filter', 'label=holdfast.worker', '--format', '{{.Names}}'])).split('\n').filter(Boolean);
		for (const name of names.filter(name => !seen.has(name))) {
			const details = await docker(['inspect', name]).catch(() => undefined);
			if (details !== undefined) {
				seen.set(name, details);
			}
		}

		await delay(100);
	}
};
