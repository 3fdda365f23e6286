import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

/** What an application may be told by its environment. */
export const interval = Number(process.env.WRITE_INTERVAL_MS ?? 20);

/** Set when the application is asked to stop: it finishes its step, closes its database and exits 0. */
export const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
	process.on(signal, () => stopping.abort());
}

/** The file of row n holds n and a line break. It is written only after its row was committed. */
export const writeFileOf = async (folder: string, n: number): Promise<void> => {
	await mkdir(folder, {recursive: true});
	await writeFile(path.join(folder, `${n}`), `${n}\n`);
};

/** Does `step` again and again with the interval in between, until the application is asked to stop. */
export const forever = async (step: () => Promise<void> | void): Promise<void> => {
	while (!stopping.signal.aborted) {
		await step();
		await delay(interval, undefined, {signal: stopping.signal}).catch(() => {});
	}
};
