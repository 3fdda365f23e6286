/** Whether the workers of a run do anything: what their processes read, write and compute, as the kernel counts it. */
import {output} from '../base/command.ts';
import {workerLabel} from './container.ts';
import type {Engine} from './engine.ts';
import {inContainer} from './exec.ts';

/** By process: the bytes that it read or wrote, files and connections alike, and hundredths of seconds of computing. */
export type Counts = ReadonlyMap<string, {bytes: number; ticks: number}>;

/** What a program that only waits for an answer does in a second: it tells that it waits, and tries again. */
const restless = {bytes: 16_384, ticks: 3};

const counting =
	'printf "own %s\\n" "$$"; for each in /proc/[0-9]*; do printf "%s " "$(basename "$each")"; cut -d ")" -f 2 "$each/stat"; cat "$each/io"; done 2>/dev/null; true';

/** Pure: of what `counting` prints, without the processes of the counting itself: a session of their own, as each command of docker exec has. */
export function readCounts(text: string): Map<string, {bytes: number; ticks: number}> {
	const counts = new Map<string, {bytes: number; ticks: number}>();
	const [, own] = /^own (\d+)$/m.exec(text) ?? [];
	let current = {bytes: 0, ticks: 0};
	for (const line of text.split('\n')) {
		const [, name, value] = /^([rw]char): (\d+)$/.exec(line) ?? [];
		const [pid = '', , ...fields] = line.trim().split(/ +/);
		if (name !== undefined) {
			current.bytes += Number(value);
		} else if (/^\d+$/.test(pid)) {
			// Behind the program's name and state: its parent, group and session, with others eleven fields, then the time in the program and in the kernel.
			current = {bytes: 0, ticks: Number(fields[10] ?? 0) + Number(fields[11] ?? 0)};
			if (fields[2] !== own) {
				counts.set(pid, current);
			}
		}
	}

	return counts;
}

/** Pure: whether more was done than waiting takes. */
export function isBusy(before: Counts, after: Counts, seconds: number): boolean {
	let [bytes, ticks] = [0, 0];
	for (const [pid, count] of after) {
		const earlier = before.get(pid) ?? {bytes: 0, ticks: 0};
		bytes += Math.max(0, count.bytes - earlier.bytes);
		ticks += Math.max(0, count.ticks - earlier.ticks);
	}

	return bytes > restless.bytes * seconds || ticks > restless.ticks * seconds;
}

/** Asks for a run again and again. The first answer is about nothing, and says no. */
export function watchActivity(engine: Engine, run: string): () => Promise<boolean> {
	let before: {counts: Counts; at: number} | undefined;
	return async () => {
		const workers = (await engine.list()).filter(({labels, state}) => labels[workerLabel] === run && state === 'running');
		const counts = new Map<string, {bytes: number; ticks: number}>();
		for (const {id} of workers) {
			const {stdout} = await output(inContainer(engine, id), {
				argv: ['sh', '-c', counting],
				user: '0',
				signal: AbortSignal.timeout(20_000),
			});
			for (const [pid, count] of readCounts(stdout)) {
				counts.set(`${id} ${pid}`, count);
			}
		}

		const at = performance.now();
		const result = before !== undefined && isBusy(before.counts, counts, (at - before.at) / 1000);
		before = {counts, at};
		return result;
	};
}
