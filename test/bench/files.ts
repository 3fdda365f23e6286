/** How long files take, and how long the application stands still for them, against plain restic on the same volume. */
import {setTimeout as delay} from 'node:timers/promises';
import {ensureImage} from '../support/images.ts';
import type {Service} from '../support/stack.ts';
import type {Row, Size} from './table.ts';
import {inTurn, openYard, plainEnvironment, plainVolume, type Run, type Yard} from './yard.ts';

interface Tree {
	files: number;
	bytesOfFile: number;
	/** Every so many-th of them changes. */
	step: number;
}

const ordinary: Tree = {files: 20_000, bytesOfFile: 100_000, step: 100};
const manyLittle: Tree = {files: 200_000, bytesOfFile: 1000, step: 5};

/** `node -e SCRIPT FIRST STEP COUNT BYTES`: writes every STEP-th file from FIRST on, with content that cannot be compressed. */
export const writeFiles = `
const [first, step, count, bytes] = process.argv.slice(1).map(Number);
const {mkdirSync, writeFileSync} = require('node:fs');
const {randomFillSync} = require('node:crypto');
const content = Buffer.alloc(bytes);
for (let n = first; n < count; n += step) {
	mkdirSync('/data/' + n % 200, {recursive: true});
	writeFileSync('/data/' + n % 200 + '/' + n, randomFillSync(content));
}`;

export const plainBackup = 'restic --repo="/plain/$1" --quiet backup /data';

/** What a user starts Holdfast with for nothing but a fixed start. */
const fixedMs = 1500;

export const appService = async (volume: string): Promise<Service> => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['sleep', 'infinity'],
	environment: plainEnvironment,
	volumes: [`${volume}:/data`, plainVolume],
	// Not the plain repository beside it
	labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/data'},
});

/** More than what Holdfast allows for a clock that is behind. */
const clockMarginMs = 3000;

/** The runs of one kind: what plain restic took, and the run of Holdfast. */
interface Compared {
	plainMs: number;
	run: Run;
}

async function compare({timed, backup}: Yard, name: string, round: number): Promise<Compared> {
	const [plainMs, run] = await inTurn(
		round,
		async () => timed(name, plainBackup, name),
		async () => backup(name),
	);
	return {plainMs, run};
}

export const benchFiles = async (size: Size): Promise<Row[]> => benchTree(ordinary, size);

/** What a second pass costs that has very much to look at, and to read again. */
export const benchMany = async (size: Size): Promise<Row[]> => benchTree(manyLittle, size);

async function benchTree({files, bytesOfFile, step: changedStep}: Tree, {rounds, scale}: Size): Promise<Row[]> {
	const count = Math.round(files * scale);
	const first: Compared[] = [];
	const unchanged: Compared[] = [];
	const changed: Compared[] = [];
	for (let round = 0; round < rounds; round++) {
		const name = 'app';
		const yard = await openYard({[name]: await appService('data')}, ['data']);
		const write = async (from: number, step: number) =>
			yard.stack.exec(name, 'node', '-e', writeFiles, String(from), String(step), String(count), String(bytesOfFile));
		try {
			await yard.plainRepository(name, name);
			await write(0, 1);
			// Files of the seconds around a run are read twice, because their times cannot be trusted; those of a day are hardly any of them
			await delay(clockMarginMs);
			first.push(await compare(yard, name, round));
			unchanged.push(await compare(yard, name, round));
			await delay(clockMarginMs);
			await write(round, changedStep);
			await delay(clockMarginMs);
			changed.push(await compare(yard, name, round));
		} finally {
			await yard.close();
		}
	}

	const size = `${count} files of ${bytesOfFile / 1000} KB`;
	const share = `${100 / changedStep} % changed`;
	return [
		...rowsOf(`${size}, first backup`, first),
		...rowsOf('… unchanged', unchanged),
		...rowsOf(`… ${share}`, changed),
		outageRow('outage, unchanged, against a plain backup of the same', unchanged, unchanged),
		outageRow(`outage, ${share}, against the first plain backup`, first, changed, '0.15'),
		outageRow(`… against a plain backup with ${share}`, changed, changed),
	];
}

/** The source's own part is its two passes; the whole run has workers, the listing of points, the manifest and the clean-up beside. */
function rowsOf(what: string, compared: readonly Compared[]): Row[] {
	const baseline = compared.map(({plainMs}) => plainMs);
	const row = {baseline, unit: 'ms', fixed: fixedMs} as const;
	return [
		{...row, what, holdfast: compared.map(({run}) => run.between('first-pass', 'publish')), aim: '1.10'},
		{...row, what: '  … the whole run', holdfast: compared.map(({run}) => run.wholeMs)},
	];
}

const outageRow = (what: string, plain: readonly Compared[], ours: readonly Compared[], aim = ''): Row => ({
	what,
	baseline: plain.map(({plainMs}) => plainMs),
	holdfast: ours.map(({run}) => run.result.quiesceSeconds * 1000),
	unit: 'ms',
	aim,
});
