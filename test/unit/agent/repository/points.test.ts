import test from 'ava';
import {placedTags} from '../../../../agent/repository/placed.ts';
import {pointsOf} from '../../../../agent/repository/points.ts';
import type {Snapshot} from '../../../../agent/restic/restic.ts';

let count = 0;

function snapshot(run: string, tags: readonly string[], {target = 'app/db', time = '2026-01-01T03:00:00Z'} = {}): Snapshot {
	count++;
	const id = count.toString(16).padStart(64, '0');
	return {
		id,
		time: new Date(time),
		tree: '',
		host: 'h',
		tags: ['holdfast', `run:${run}`, `target:${target}`, ...tags],
		paths: [],
		bytes: 10,
		addedBytes: 1,
	};
}

test('a manifest and all that it counts are a point', t => {
	const manifest = snapshot('r1', ['manifest:2']);
	const [database, volume] = [snapshot('r1', ['source:postgres:a%2Cb']), snapshot('r1', ['source:volume:/data'])];
	t.deepEqual(pointsOf([volume, manifest, database]), [
		{
			id: 'r1',
			target: 'app/db',
			filedAs: 'app/db',
			agent: null,
			host: 'h',
			time: manifest.time,
			manifest: manifest.id,
			sources: [
				{source: 'postgres:a,b', snapshot: database.id, bytes: 10},
				{source: 'volume:/data', snapshot: volume.id, bytes: 10},
			],
		},
	]);
});

test('without its manifest, or without one of its snapshots, a run is no point', t => {
	t.deepEqual(pointsOf([snapshot('r1', ['source:volume:/data'])]), []);
	t.deepEqual(pointsOf([snapshot('r1', ['manifest:2']), snapshot('r1', ['source:volume:/data'])]), []);
	t.deepEqual(pointsOf([snapshot('r1', ['manifest:x']), snapshot('r1', ['source:volume:/data'])]), []);
});

test('newest first, and runs of different targets are not mixed', t => {
	const points = pointsOf([
		snapshot('r1', ['manifest:1']),
		snapshot('r1', ['source:volume:/data']),
		snapshot('r2', ['manifest:1'], {time: '2026-01-02T03:00:00Z', target: 'other'}),
		snapshot('r2', ['source:volume:/data'], {time: '2026-01-02T03:00:00Z', target: 'other'}),
		snapshot('r2', ['source:volume:/data']),
	]);
	t.deepEqual(
		points.map(({id, target}) => [id, target]),
		[
			['r2', 'other'],
			['r1', 'app/db'],
		],
	);
});

test('what Swarm runs says so, and since when it is here; what nobody can read is not believed', t => {
	const service = 'a'.repeat(25);
	const placed = (...tags: string[]) => {
		const run = `r${tags.join()}`;
		return pointsOf([snapshot(run, ['manifest:1', ...tags]), snapshot(run, ['source:volume:/data'])])[0]?.placed;
	};
	const tags = placedTags({services: ['b'.repeat(25), service], since: '2026-01-01T03:00:00.500Z'});
	t.deepEqual(placed(...tags), {services: [service, 'b'.repeat(25)], since: Date.UTC(2026, 0, 1, 3), managers: []});
	const managed = placedTags({services: [service], since: '2026-01-01T03:00:00Z', managers: ['d'.repeat(25), 'c'.repeat(25)]});
	t.deepEqual(placed(...managed)?.managers, ['c'.repeat(25), 'd'.repeat(25)]);
	t.deepEqual(placed(...tags, 'swarm-managers:me')?.managers, []);
	t.is(placed('here-since:1'), undefined);
	t.is(placed('swarm:me', 'here-since:1'), undefined);
	t.is(placed(`swarm:${service}`), undefined);
});
