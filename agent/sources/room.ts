/** Whether what is written fits, asked before anything is touched: what several sources write to one file system, together. */
import {type Place, succeed} from '../../base/command.ts';

export interface Writing {
	source: string;
	/** As the place sees it. */
	folder: string;
	/** No more than this, as is known at once. */
	atMost: number;
	/** What it really is, where that is known only by comparing all files. What they replace is not counted: it may go only afterwards. */
	exactly?: (() => Promise<number>) | undefined;
}

/** @returns what does not fit, with both sizes */
export async function roomProblems(place: Place, writings: readonly Writing[], signal: AbortSignal): Promise<string[]> {
	if (writings.length === 0) {
		return [];
	}

	const folders = writings.map(({folder}) => folder);
	const [devices, free] = await Promise.all([
		lines(place, ['stat', '--format=%d', '--', ...folders], signal),
		lines(place, ['stat', '--file-system', '--format=%a %S', '--', ...folders], signal),
	]);
	const problems: string[] = [];
	for (const [device, shares] of Map.groupBy(writings, (_, index) => devices[index])) {
		const [blocks = 0, size = 0] = (free[devices.indexOf(device ?? '')] ?? '').split(' ').map(Number);
		problems.push(...(await problemOf(shares, blocks * size)));
	}

	return problems;
}

async function problemOf(shares: readonly Writing[], freeBytes: number): Promise<string[]> {
	if (sum(shares.map(({atMost}) => atMost)) <= freeBytes) {
		return [];
	}

	const sizes: number[] = [];
	for (const {atMost, exactly} of shares) {
		sizes.push((await exactly?.()) ?? atMost);
	}

	const names = shares.map(({source}) => `\`${source}\``).join(' and ');
	return sum(sizes) <= freeBytes
		? []
		: [
				`there is too little room for ${names}: ${inMiB(sum(sizes))} are to be written, and ${shares.length === 1 ? 'its' : 'their'} file system has ${inMiB(freeBytes)} left`,
			];
}

const lines = async (place: Place, argv: readonly [string, ...string[]], signal: AbortSignal): Promise<string[]> =>
	(await succeed(place, {argv, signal})).trim().split('\n');

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

const inMiB = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
