/** What is left out of a backup by a mistake is told, and is never a success of nothing. Lane: waits. */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import type {RestorePlan} from '../../../base/shapes/restores.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

test('patterns that leave out everything, or name nothing, are told; a point of nothing is none', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const folder = await mkdtemp(join(tmpdir(), 'hf-exclusions-'));
	const locked = join(folder, 'keys/ca.pem');
	t.teardown(async () => {
		await execa('chattr', ['-i', locked], {reject: false});
		await rm(folder, {recursive: true, force: true});
	});
	await mkdir(join(folder, 'keys'));
	await writeFile(locked, 'key');
	await execa('chattr', ['+i', locked]);
	const common = {image, entrypoint: ['sleep', 'infinity'], init: true};
	const labels = (exclude: string) => ({'holdfast.enable': 'true', 'holdfast.exclude': exclude});
	const stack = await startStack(t, {
		services: {
			all: {...common, volumes: ['all:/data'], labels: labels('*')},
			only: {...common, volumes: ['data:/data'], labels: labels('logs, cache, file')},
			beside: {...common, volumes: ['data:/data', 'beside:/beside'], labels: labels('words')},
			spaces: {...common, volumes: ['data:/data'], labels: labels('cache logs')},
			empty: {...common, volumes: ['empty:/data'], labels: labels('cache')},
			before: {...common, volumes: ['data:/data'], labels: {'holdfast.enable': 'true'}},
			locked: {...common, volumes: [`${folder}:/data`], labels: {'holdfast.enable': 'true'}},
		},
		volumes: ['all', 'data', 'beside', 'empty'],
	});
	const name = (service: string) => `${stack.project}/${service}`;
	const fill = 'mkdir -p /data/cache /data/logs; echo cached >/data/cache/a; echo logged >/data/logs/b; echo kept >/data/file';
	await Promise.all([stack.exec('before', 'sh', '-ec', fill), stack.exec('beside', 'sh', '-ec', 'echo kept >/beside/words')]);
	const points = async (service: string) => JSON.parse((await stack.holdfast('points', name(service), '--json')).stdout) as unknown[];
	const backUp = async (service: string) => {
		const [result] = await stack.backup(name(service));
		if (result === undefined) {
			throw new Error('no result');
		}

		return result;
	};

	// By its form: nothing is begun.
	const refused = await stack.holdfast('backup', name('all'));
	t.is(refused.exitCode, 1);
	t.regex(refused.stderr, /`holdfast\.exclude` must leave something to back up, got "\*"/);
	t.regex((await stack.holdfast('plan', name('all'))).stderr, /`holdfast\.exclude` must leave something/);

	// By what is there: it fails, where it is all of the point; beside others it is told, once.
	const only = await backUp('only');
	t.deepEqual([only.outcome, only.point, (await points('only')).length], ['failed', null, 0]);
	t.regex(only.error ?? '', /`holdfast\.exclude` leaves out all that is in it, "(?:cache\/a|logs\/b|file)" for one/);
	const beside = await backUp('beside');
	t.deepEqual([beside.outcome, beside.error], ['success', undefined]);
	t.is(
		(beside.warnings ?? []).join('\n').replace(/: nothing.*/, ''),
		'`volume:/beside`: `holdfast.exclude` leaves out all that is in it, "words" for one',
	);
	t.is((await backUp('beside')).warnings, undefined);
	const empty = await backUp('empty');
	t.deepEqual([empty.outcome, empty.warnings], ['success', undefined], 'what is empty is no mistake');

	// One name with a space in it.
	t.regex((await stack.holdfast('plan', name('spaces'))).stdout, /"cache logs" is one name with a space in it.*`cache,logs`/);
	const spaces = await backUp('spaces');
	t.regex((spaces.warnings ?? []).join(), /"cache logs" leaves nothing out, .*`holdfast\.exclude: cache,logs`/);
	t.is((await backUp('spaces')).warnings, undefined);

	// What no point keeps.
	const first = await backUp('locked');
	t.is(first.outcome, 'success', first.error);
	t.regex((first.warnings ?? []).join(), /`volume:\/data`: no point keeps what `chattr` says, as of `keys\/ca\.pem`/);
	t.is((await backUp('locked')).warnings, undefined);

	// Left out now, and not when the point was made.
	const earlier = await backUp('before');
	t.is(earlier.outcome, 'success', earlier.error);
	const {stdout} = await stack.holdfast('restore', name('only'), '--from-target', name('before'), '--dry-run', '--json');
	const {acknowledge} = JSON.parse(stdout) as RestorePlan;
	t.regex(
		acknowledge ?? '',
		/only volume:\/data`: "logs", "cache", "file" are left out of backups now \(`holdfast\.exclude`\), .* is in no point/,
	);
});
