/** How long an application stands still where its file system makes the snapshot that is read, whatever lies in it. */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {mountBtrfs} from '../support/machine/btrfs.ts';
import {plainBackup, writeFiles} from './files.ts';
import type {Row, Size} from './table.ts';
import {clockMarginMs, stamping, watched} from './whole.ts';
import {openYard} from './yard.ts';

const filesInAll = 20_000;
const bytesOfFile = 100_000;
const room = 8 * 1024 ** 3;

interface Measured {
	plainMs: number;
	tookMs: number;
	outageMs: number;
}

export async function benchSnapshot({rounds, scale}: Size): Promise<Row[]> {
	const count = Math.round(filesInAll * scale);
	const measured: Measured[] = [];
	for (let round = 0; round < rounds; round++) {
		const one = await measure(count);
		if (one === undefined) {
			console.error('holdfast: no snapshot is measured: only root with a kernel that has btrfs can mount one');
			return [];
		}

		measured.push(one);
	}

	return [
		{
			what: `${count} files of ${bytesOfFile / 1000} KB, 1 % changed, with \`snapshot\``,
			baseline: measured.map(({plainMs}) => plainMs),
			holdfast: measured.map(({tookMs}) => tookMs),
			unit: 'ms',
		},
		{what: '  … outage', baseline: [], holdfast: measured.map(({outageMs}) => outageMs), unit: 'ms', aim: '0.3 s'},
	];
}

async function measure(count: number): Promise<Measured | undefined> {
	const disk = await mountBtrfs(room);
	if (disk === undefined) {
		return undefined;
	}

	try {
		await disk.makeSubvolume('data');
		await mkdir(join(disk.root, 'snapshots'));
		const yard = await openYard({app: await stamping(join(disk.root, 'data'), {'holdfast.quiesce': 'snapshot'})}, [], {
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				'hf-repository:/repository',
				'hf-state:/state',
				'hf-cache:/cache',
				`${join(disk.root, 'snapshots')}:/snapshots`,
			],
		});
		const {stack, timed} = yard;
		const write = async (step: number) =>
			stack.exec('app', 'node', '-e', writeFiles, '0', String(step), String(count), String(bytesOfFile));
		const backUp = async () => (await yard.backup('app')).wholeMs;
		try {
			await yard.plainRepository('app', 'app');
			await write(1);
			await timed('app', plainBackup, 'app');
			await backUp();
			await delay(clockMarginMs);
			await write(100);
			await delay(clockMarginMs);
			const plainMs = await timed('app', plainBackup, 'app');
			return {plainMs, ...(await watched(yard, 'app', backUp))};
		} finally {
			await yard.close();
		}
	} finally {
		await disk.close();
	}
}
