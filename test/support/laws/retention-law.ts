/** Daily points in a real repository: what goes is what restic's own policy says, whole points only, also when it is killed. */
import {createHash} from 'node:crypto';
import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import {finishForgetting, forgetPoints} from '../../../agent/keep/forgetting.ts';
import {decide} from '../../../agent/keep/retention.ts';
import {pointsOf} from '../../../agent/repository/points.ts';
import type {Repository} from '../../../agent/restic/repository.ts';
import type {Restic} from '../../../agent/restic/restic.ts';
import type {Place} from '../../../base/command.ts';
import type {Keep} from '../../../base/reading/keep.ts';
import {password, withScratch} from '../doubles/scratch-repository.ts';
import {rewrap, sealing} from '../stack/cheap-key.ts';

const newest = Date.parse('2026-11-21T03:00:00Z');
const dayMs = 24 * 3_600_000;
const targets = ['shop/db', 'shop/app'];

const policies: Array<Keep & Record<string, number | string>> = [
	{last: 3, daily: 7, weekly: 4, monthly: 6, yearly: 1},
	{hourly: 24, weekly: 60},
	{within: '1y6m'},
	{yearly: 5, within: '30d12h'},
	{last: 1, monthly: 99},
];

interface Scratch {
	folder: string;
	place: Place;
	repository: Repository;
	restic: Restic;
}

/** Snapshots with set times, made from one that restic made: a call of restic for each would take minutes. */
async function fill({folder, repository, restic, place}: Scratch, days: number): Promise<void> {
	const keys = join(folder, 'repository', 'keys');
	const [old = ''] = await readdir(keys);
	const key = await rewrap(await readFile(join(keys, old), 'utf8'), password);
	await writeFile(join(keys, createHash('sha256').update(key).digest('hex')), key);
	await rm(join(keys, old));
	const {snapshot} = await restic.backupStream({
		filename: '/shop/db/one',
		command: ['echo', 'content'],
		tags: ['first'],
		time: new Date(newest),
		host: 'host',
	});
	const running = await place({
		argv: ['restic', 'cat', 'snapshot', snapshot],
		env: {...repository.env, RESTIC_REPOSITORY: repository.location, RESTIC_CACHE_DIR: repository.cacheDirectory},
	});
	const template = JSON.parse(await text(running.stdout)) as Record<string, unknown>;
	await running.done;
	const seal = await sealing(key, password);
	for (const target of targets) {
		for (let day = 0; day < days; day++) {
			// Not every day, not always at the same time; and a change of the clocks would not be seen in UTC.
			if (day % 17 === 5) {
				continue;
			}

			const time = new Date(newest - day * dayMs - (day % 7) * 3_700_000).toISOString();
			for (const tag of ['source:volume:/data', 'source:postgres:x', 'manifest:2']) {
				const tags = ['holdfast', `run:${target}-${day}`, `target:${target}`, tag];
				const {name, file} = seal(JSON.stringify({...template, time, hostname: 'host', tags}));
				await writeFile(join(folder, 'repository', 'snapshots', name), file);
			}
		}
	}

	await restic.forget([snapshot]);
}

/** What plain restic would keep of a target's manifests: the times. */
async function keptByRestic({place, repository}: Scratch, target: string, keep: Keep): Promise<string[]> {
	const rules = Object.entries(keep).map(([rule, amount]) => `--keep-${rule}=${amount}`);
	const running = await place({
		argv: ['restic', 'forget', '--dry-run', '--json', '--group-by=', `--tag=target:${target},manifest:2`, ...rules],
		env: {...repository.env, RESTIC_REPOSITORY: repository.location, RESTIC_CACHE_DIR: repository.cacheDirectory, TZ: 'UTC'},
	});
	const [stdout] = await Promise.all([text(running.stdout), running.done]);
	const [group] = JSON.parse(stdout) as Array<{keep: Array<{time: string}>}>;
	return (group?.keep ?? []).map(({time}) => new Date(time).toISOString()).sort();
}

const decideFor = async ({restic}: Scratch, target: string, keep: Keep) => {
	const points = pointsOf(await restic.snapshots(['holdfast', `target:${target}`]));
	return decide(target, points, {keep, timeZone: 'UTC', shrinkLimit: 0.5}, {now: Date.now(), lastOutcome: 'success', needed: new Map()})
		.points;
};

const timesOf = (verdicts: Awaited<ReturnType<typeof decideFor>>, action: string) =>
	verdicts.flatMap(verdict => (verdict.action === action ? [verdict.point.time.toISOString()] : [])).sort();

function journal() {
	const begun = new Set<string>();
	return {
		rememberForgetting(ids: readonly string[]) {
			for (const id of ids) {
				begun.add(id);
			}
		},
		forgetting: () => begun,
		clearForgetting: () => begun.clear(),
	};
}

const countSnapshots = async (t: ExecutionContext, {restic}: Scratch, points: number) => {
	const snapshots = await restic.snapshots();
	t.is(snapshots.length, 3 * points, 'whole points only');
	t.is(pointsOf(snapshots).length, points);
};

export async function daysGoByThePolicy(t: ExecutionContext, days: number): Promise<void> {
	await withScratch(async scratch => {
		await fill(scratch, days);
		const before = (await decideFor(scratch, 'shop/db', {last: 1})).length;
		t.is(before, Array.from({length: days}, (_, day) => day).filter(day => day % 17 !== 5).length);
		for (const keep of policies) {
			for (const target of targets.slice(0, keep === policies[0] ? 2 : 1)) {
				const verdicts = await decideFor(scratch, target, keep);
				t.deepEqual(timesOf(verdicts, 'keep'), await keptByRestic(scratch, target, keep), `${target} ${JSON.stringify(keep)}`);
			}
		}

		const [policy = {}] = policies;
		const kept = timesOf(await decideFor(scratch, 'shop/db', policy), 'keep');
		const doomed = (await decideFor(scratch, 'shop/db', policy)).flatMap(({action, point}) => (action === 'remove' ? [point] : []));
		const begun = journal();
		// The third call is the one for what the manifests held together: it never comes.
		let calls = 0;
		const killed = {
			async forget(ids: readonly string[], signal?: AbortSignal) {
				calls++;
				if (calls === 2) {
					throw new Error('killed');
				}

				await scratch.restic.forget(ids, signal);
			},
		};
		await t.throwsAsync(forgetPoints(killed, begun, doomed), {message: 'killed'});
		const left = pointsOf(await scratch.restic.snapshots(['holdfast', 'target:shop/db']));
		t.deepEqual(left.map(({time}) => time.toISOString()).sort(), kept, 'nothing partial is listed');
		t.is(begun.forgetting().size, 2 * doomed.length);
		await finishForgetting(scratch.restic, begun, await scratch.restic.snapshots());
		await countSnapshots(t, scratch, kept.length + before);
		t.deepEqual(timesOf(await decideFor(scratch, 'shop/app', policy), 'keep'), kept, 'the other target is as it was');
		await scratch.restic.check({read: 'all'});
	});
}
