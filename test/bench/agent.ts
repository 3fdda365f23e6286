/** What the agent is to the machine while it has nothing to do, how soon it answers a person, and what very many targets cost. */
import {setTimeout as delay} from 'node:timers/promises';
import {askOften, makeCrowd} from '../support/stack/crowd.ts';
import {until} from '../support/until.ts';
import type {Row, Size} from './table.ts';
import {openYard, type Yard} from './yard.ts';

/** What a start leaves is collected by then. */
const idleMs = 75_000;

const targets = 200;

const residentMemory = `for p in /proc/[0-9]*; do grep -q "main.js" $p/cmdline && grep VmRSS $p/status; done 2>/dev/null | sort -k2 -n | tail -1`;

/** `$@`: its milliseconds. */
const timedCommand = 'begun=$(date +%s%N); "$@" >/dev/null; echo $((($(date +%s%N) - begun) / 1000000))';

const commandMs = async ({stack}: Yard, ...argv: string[]): Promise<number> =>
	Number(await stack.exec('holdfast', 'bash', '-c', timedCommand, 'bash', ...argv));

export async function benchAgent({rounds}: Size): Promise<Row[]> {
	const yards: Yard[] = [];
	const resident: number[] = [];
	const plain: number[] = [];
	const ours: number[] = [];
	try {
		for (let round = 0; round < rounds; round++) {
			yards.push(await openYard({}, []));
		}

		await delay(idleMs);
		for (const yard of yards) {
			resident.push(Number(/(\d+) kB/.exec(await yard.stack.exec('holdfast', 'sh', '-c', residentMemory))?.[1]) * 1024);
		}

		for (const yard of yards) {
			// The first has the agent load what the others find there
			await commandMs(yard, 'holdfast', 'status');
			plain.push(await commandMs(yard, 'node', '-e', '0'));
			ours.push(await commandMs(yard, 'holdfast', 'status'));
		}
	} finally {
		for (const yard of yards) {
			await yard.close();
		}
	}

	return [
		{what: `memory of the agent, idle for ${idleMs / 1000} s`, baseline: [], holdfast: resident, unit: 'bytes', aim: '83.9 MB (80 MiB)'},
		{what: 'holdfast status, against a Node that does nothing', baseline: plain, holdfast: ours, unit: 'ms', aim: '0.2 s'},
		...(await benchCrowd()),
	];
}

async function benchCrowd(): Promise<Row[]> {
	const {stack, close} = await openYard({}, []);
	try {
		const removeCrowd = await makeCrowd(stack, targets);
		try {
			const plan = await askOften(stack, '/api/v1/plan');
			const scrape = await until('the metrics to know all of them', async () => {
				const answer = await askOften(stack, '/metrics');
				return new RegExp(`^holdfast_targets(?:\\{\\})? ${targets}$`, 'm').test(answer.body) && answer;
			});
			return [
				{what: `plan of ${targets} targets`, baseline: [], holdfast: plan.times, unit: 'ms', aim: '2 s'},
				{what: '  … scrape', baseline: [], holdfast: scrape.times, unit: 'ms', aim: '0.05 s'},
			];
		} finally {
			await removeCrowd();
		}
	} finally {
		await close();
	}
}
