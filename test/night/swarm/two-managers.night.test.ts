/** Two managers, of which one is killed while its node's agent has a service at 0 for a backup: the other cannot lead alone. When it is back the service is as it was, and the run is told. Lane: waits. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {stringify} from 'yaml';
import type {RunView} from '../../../base/shapes/runs.ts';
import {docker} from '../../support/docker.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {joinNodes} from '../../support/stack/two-nodes.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const patience = {timeout: 240_000, interval: 500};
const target = 'shop/app';

if (await canStartSecondEngine()) {
	test('of two managers the one whose agent is in a run is killed: what it scaled to nothing is put back when it is there again', async t => {
		t.timeout(20 * 60_000);
		const {first, second, app, swarm, taskOf, running} = await joinNodes(t);
		await swarm('node', 'promote', 'node-b');
		const ask = async (...argv: string[]) => docker(argv, {host: second.host, timeout: 60_000}).catch(String);
		await until('the other to be a manager', async () => (await ask('node', 'ls')).includes('Reachable'), patience);
		await swarm('node', 'update', '--availability', 'drain', 'node-b');
		const folder = await mkdtemp(join(tmpdir(), 'holdfast-swarm-'));
		t.teardown(async () => rm(folder, {recursive: true, force: true}));
		const file = join(folder, 'stack.yml');
		await writeFile(
			file,
			stringify({
				version: '3.8',
				services: {
					app: {
						image: app,
						init: true,
						stop_grace_period: '2s',
						command: ['sleep', 'infinity'],
						volumes: ['data:/data'],
						networks: ['host'],
						labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'stop'},
						deploy: {restart_policy: {condition: 'any', delay: '1s'}},
					},
				},
				volumes: {data: {}},
				networks: {host: {external: true, name: 'host'}},
			}),
		);
		await swarm('stack', 'deploy', '--resolve-image=never', '--compose-file', file, 'shop');
		await running(first, 'shop_app');
		const stack = await startStack(t, {
			services: {},
			engine: first,
			holdfast: {environment: {HOLDFAST_PROJECTS: 'shop'}, restart: 'always'},
		});
		await docker(['exec', await taskOf(first, 'shop_app'), 'sh', '-c', 'echo precious >/data/file'], {host: first.host});
		const replicas = async (host: string) =>
			docker(['service', 'inspect', '--format', '{{.Spec.Mode.Replicated.Replicas}}', 'shop_app'], {host, timeout: 60_000});

		const {body} = await stack.api('POST', '/api/v1/backup', {targets: [target], trigger: 'api'});
		const run = (body as {runs: Array<{run: string}>}).runs[0]?.run ?? '';
		for await (const event of stack.follow(run)) {
			t.not(event.type, 'finished', 'it ended before it was killed');
			if (event.type === 'step' && event.step === 'pin') {
				t.is(await replicas(first.host), '0');
				await first.kill();
				break;
			}
		}

		// Half of the managers are no majority: nobody can put anything back, and nobody pretends to.
		await until('the other to be without a leader', async () => /leader|quorum|deadline/i.test(await ask('service', 'ls')), patience);
		await first.start();
		await stack.ready();
		await until('the service to be scaled back', async () => (await replicas(second.host).catch(() => '')) === '1', patience);
		await running(first, 'shop_app');
		let view: RunView | undefined;
		await until(
			'the run to be over',
			async () => {
				view = JSON.parse((await stack.holdfast('runs', run, '--json')).stdout || '{}') as RunView;
				return view.state === 'finished';
			},
			patience,
		);
		t.is(view?.result?.outcome, 'failed', JSON.stringify(view?.result));
		t.log(view?.result?.error);

		const [next] = await stack.backup(target);
		t.is(next?.outcome, 'success', next?.error);
		const points = JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as Array<{point: string}>;
		t.deepEqual(
			points.map(({point}) => point),
			[next?.point],
			'what the killed one filed is no point',
		);
		t.is(await replicas(second.host), '1');
		t.is((await stack.restic('dump', next?.sources[0]?.snapshot ?? '', `/${target}/volume/data/file`)).trim(), 'precious');
	});
} else {
	test.skip('only root on Debian with a local engine can start two others', t => t.pass());
}
