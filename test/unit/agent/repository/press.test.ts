/** What stores a manifest waits for it, and is never why there is no point. */
import {setImmediate as turn} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import {pointsOf} from '../../../../agent/repository/points.ts';
import {createPress} from '../../../../agent/repository/press.ts';
import {memoryRepository} from '../../../support/doubles/memory-restic.ts';
import {manifestFolder} from '../../../support/doubles/workshop.ts';

const at = (seconds: number) =>
	({
		run: 'r1',
		target: 'shop/app',
		agent: 'a1',
		host: 'host',
		time: new Date(seconds * 1000).toISOString(),
		sources: [],
	}) as unknown as Manifest;

/** @returns `starts`: the time of each restic that was started; `dies`: ends the last one that waits */
async function scene(t: ExecutionContext) {
	const {restic, snapshots} = memoryRepository('primary', new Map());
	const starts: number[] = [];
	const refused: number[] = [];
	let dies = (_: Error): void => {};
	const counted: typeof restic = {
		...restic,
		async backupStream(options) {
			const seconds = options.time.getTime() / 1000;
			starts.push(seconds);
			options.hold?.go.catch(() => refused.push(seconds));
			const death = Promise.withResolvers<never>();
			dies = death.reject;
			return Promise.race([restic.backupStream(options), death.promise]);
		},
	};
	const press = createPress(counted, {sources: 0, folder: await manifestFolder(t), signal: new AbortController().signal});
	return {
		press,
		starts,
		refused,
		snapshots,
		times: () => pointsOf(snapshots).map(({time}) => time.getTime() / 1000),
		dies: (error: Error) => dies(error),
	};
}

test('one restic waits from the beginning, whoever asks for it again, and publishes', async t => {
	const {press, starts, refused, snapshots, times} = await scene(t);
	press.ready(at(1));
	press.ready(at(1));
	const published = await press.publish(at(1));
	await press.close();
	t.deepEqual([starts, refused, times()], [[1], [], [1]]);
	const [{id, time, tags, host, bytes} = {}] = snapshots;
	t.deepEqual(published, {id, time, tags, host, bytes} as typeof published, 'as it is listed');
});

test('… also where it is killed when it has saved the manifest and has not said so', async t => {
	const {restic, snapshots} = memoryRepository('primary', new Map());
	const dying: typeof restic = {
		...restic,
		async backupStream(options) {
			await restic.backupStream(options);
			throw new Error('killed');
		},
	};
	const press = createPress(dying, {sources: 0, folder: await manifestFolder(t), signal: new AbortController().signal});
	const {id} = await press.publish(at(1));
	t.deepEqual(
		snapshots.map(snapshot => snapshot.id),
		[id],
	);
});

test('where the moment was another one, the first gives way to one that says so', async t => {
	const {press, starts, refused, times} = await scene(t);
	press.ready(at(1));
	press.ready(at(5));
	await press.publish(at(5));
	t.deepEqual([starts, refused, times()], [[1, 5], [1], [5]]);
});

test('a point has its own time, also where nobody said that the moment was another one', async t => {
	const {press, starts, refused, times} = await scene(t);
	press.ready(at(1));
	await press.publish(at(5));
	t.deepEqual([starts, refused, times()], [[1, 5], [1], [5]], 'the one that waited is let go at once');
	await press.close();
});

test('one that died while it waited is replaced: when it is asked for again, and when it is to publish', async t => {
	for (const isAskedAgain of [true, false]) {
		const {press, starts, times, dies} = await scene(t);
		press.ready(at(1));
		await turn();
		dies(new Error('killed'));
		await turn();
		if (isAskedAgain) {
			press.ready(at(1));
		}

		await press.publish(at(1));
		t.deepEqual([starts, times()], [[1, 1], [1]]);
	}
});

test('closed without a point, it stores nothing', async t => {
	const {press, refused, times} = await scene(t);
	press.ready(at(1));
	await press.close();
	t.deepEqual([refused, times()], [[1], []]);
});
