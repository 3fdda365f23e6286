/** What ends in silence elsewhere: data that is gone is told the first night and asked about before a restore; a target that is gone is missed. Lane: rests. Turns: surfaces. */
import {mkdtemp, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {PointView} from '../../../base/shapes/points.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Keeps what is posted to it. */
const listener = `require('node:http').createServer((request, response) => {
	let body = '';
	request.on('data', piece => (body += piece)).on('end', () => {
		require('node:fs').appendFileSync('/tmp/heard', body + '\\n');
		response.end();
	});
}).listen(80)`;

test('data that is gone, and a target that is gone, are told once, and their points stay', async t => {
	t.timeout(12 * 60_000);
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-nas-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const image = await ensureImage('holdfast-test/app:latest');
	const idle = {image, command: ['sleep', 'infinity'], init: true, stop_grace_period: '1s'};
	const stack = await startStack(t, {
		volumes: ['data'],
		holdfast: {
			environment: {
				HOLDFAST_WEBHOOK_URL: 'http://hook/',
				HOLDFAST_WEBHOOK_SECRET: 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g=',
				HOLDFAST_KEEP: 'last=3',
			},
		},
		services: {
			hook: {image, entrypoint: ['node', '-e', listener], init: true, stop_grace_period: '1s'},
			nas: {...idle, volumes: [`${folder}:/data`], labels: {'holdfast.enable': 'true'}},
			app: {...idle, volumes: ['data:/data'], labels: {'holdfast.enable': 'true'}},
		},
	});
	const [nas, app] = [`${stack.project}/nas`, `${stack.project}/app`];
	const heard = async (kind: string, target: string): Promise<number> => {
		const lines = (await stack.exec('hook', 'sh', '-c', 'cat /tmp/heard || true')).split('\n').filter(Boolean);
		const told = lines.map(line => JSON.parse(line) as {data: {kind?: string; target?: string}});
		return told.filter(({data}) => data.kind === kind && data.target === target).length;
	};
	const backUp = async (target: string) => {
		const [result] = await stack.backup(target);
		t.is(result?.outcome, 'success', result?.error);
	};
	const points = async (target: string) => JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as PointView[];

	// What is away is missed only after minutes: that time is used for the other one
	await backUp(app);
	await stack.compose('rm', '--stop', '--force', 'app');

	const photo = join(folder, 'photo');
	await writeFile(photo, Buffer.alloc(3_000_000, 'photo'));
	for (const version of [1, 2, 3]) {
		await writeFile(join(folder, 'version'), `${version}\n`);
		await backUp(nas);
	}

	// The folder is there, and empty: the disk below it was not mounted
	const whole = await points(nas);
	t.is(whole.length, 3);
	await truncate(photo);
	for (const night of [1, 2, 3]) {
		await writeFile(join(folder, 'version'), `night ${night}\n`);
		await backUp(nas);
	}

	await until('the webhook to hear of it', async () => (await heard('shrunk', nas)) > 0, {timeout: 60_000});
	t.is(await heard('shrunk', nas), 1);
	const kept = new Set((await points(nas)).map(({point}) => point));
	t.true(
		whole.every(({point}) => kept.has(point)),
		[...kept].join(),
	);
	const plan = await stack.holdfast('restore', nas, '--dry-run');
	t.regex(plan.stdout.replaceAll(/\s+/g, ' '), /much smaller/);
	const restored = await stack.restore(nas, '--point', whole[0]?.point ?? '');
	t.is(restored.outcome, 'success', restored.error);
	t.is(await stack.exec('nas', 'sh', '-c', 'stat -c %s /data/photo; cat /data/version'), '3000000\n3');

	await until('the webhook to hear of it', async () => (await heard('gone', app)) > 0, {timeout: 5 * 60_000, interval: 1000});
	const findings = async () =>
		(JSON.parse((await stack.holdfast('doctor', '--json')).stdout) as Finding[]).filter(({subject, message}) =>
			`${subject} ${message}`.includes(app),
		);
	t.regex(JSON.stringify(await findings()), /not found any more/);
	t.regex((await stack.holdfast('status')).stdout, new RegExp(`${app}[^\\n]*gone`));
	t.regex(
		await stack.exec('holdfast', 'node', '-e', "fetch('http://127.0.0.1:9797/metrics').then(answer => answer.text()).then(console.log)"),
		new RegExp(`holdfast_target_gone_since_timestamp_seconds\\{target="${app}"\\} \\d`),
	);
	t.is((await points(app)).length, 1);
	t.is(await heard('gone', app), 1);

	t.is((await stack.holdfast('forget', app)).exitCode, 0);
	t.deepEqual(await findings(), []);
	t.is((await points(app)).length, 1);
});
