/** The agent in the network of another container, whose names it sees: it knows itself, and its workers are like it. Turns: docker. */
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const idle = {command: ['sleep', 'infinity'], init: true, stop_grace_period: '1s'};
let stack: Stack;
const ends: Array<() => unknown> = [];
test.after.always(async () => {
	for (const end of ends) {
		await end();
	}
});

interface Inspected {
	Image: string;
	HostConfig: Record<string, unknown> & {NetworkMode: string};
}

const inspect = async (name: string): Promise<Inspected> => (JSON.parse(await docker(['inspect', name])) as Inspected[])[0] as Inspected;

/** The worker of a backup that is under way. */
async function workerOf(run: Promise<unknown>): Promise<Inspected> {
	const prefix = 'holdfast-repository-';
	const name = await until('a worker', async () => {
		const names = await docker(['ps', '--filter', `volume=${stack.project}_data`, '--filter', `name=${prefix}`, '--format', '{{.Names}}']);
		return names.split('\n').find(Boolean);
	});
	const found = await inspect(name);
	await run;
	return found;
}

test.before(async () => {
	const image = await ensureImage('holdfast-test/app:latest');
	stack = await startStack({teardown: (end: () => unknown) => ends.push(end)} as never, {
		volumes: ['data', 'vpn'],
		holdfast: {
			network_mode: 'service:vpn',
			// No folder, as restic sees it: what reaches it needs the network of the agent
			environment: {RESTIC_REPOSITORY: 'rclone::local:/repository', RESTIC_PASSWORD: 'secret of the repository'},
			mem_limit: '700m',
			cpus: 1.5,
			cpu_shares: 512,
			oom_score_adj: 300,
		},
		services: {
			// It has the agent's volumes, too, and a host name of its own: what a Tailscale sidecar looks like
			vpn: {image, ...idle, hostname: 'vpn-node', volumes: ['vpn:/state']},
			app: {
				image,
				...idle,
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.before': '["sleep", "2"]',
				},
			},
		},
	});
});

test.serial(
	'in the network of a sidecar, backups and restores work, and workers share its network and the limits of the agent',
	async t => {
		await stack.exec('app', 'sh', '-c', 'echo good >/data/word');
		const run = stack.backup(`${stack.project}/app`);
		const worker = await workerOf(run);
		const [result] = await run;
		t.is(result?.outcome, 'success', result?.error);
		const [own, vpn] = await Promise.all([inspect(stack.container('holdfast')), inspect(stack.container('vpn'))]);
		t.is(worker.Image, own.Image);
		t.not(worker.Image, vpn.Image);
		t.is(worker.HostConfig.NetworkMode, own.HostConfig.NetworkMode);
		for (const limit of ['Memory', 'NanoCpus', 'CpuShares', 'OomScoreAdj']) {
			t.deepEqual(worker.HostConfig[limit], own.HostConfig[limit], limit);
			t.truthy(worker.HostConfig[limit], limit);
		}

		await stack.exec('app', 'sh', '-c', 'echo bad >/data/word');
		t.is((await stack.restore(`${stack.project}/app`)).outcome, 'success');
		t.is((await stack.exec('app', 'cat', '/data/word')).trim(), 'good');
	},
);

test.serial('doctor does not call the volumes of the agent unprotected, but those of the sidecar', async t => {
	const {stdout} = await stack.holdfast('doctor');
	t.notRegex(stdout, /hf-(?:state|repository|cache)/);
	t.regex(stdout, /no target backs up .*_vpn/);
});

test.serial('workers resolve names as the agent does; one that nobody knows ends a backup at once, and says why', async t => {
	await stack.change({
		network_mode: 'bridge',
		extra_hosts: ['known.test:127.0.0.1'],
		dns_search: ['holdfast.test'],
		environment: {
			RESTIC_REPOSITORY: 'rest:http://nowhere.invalid:8000/',
			HOLDFAST_WORKER_CPUS: 'unlimited',
			HOLDFAST_WORKER_MEMORY: '300MiB',
		},
	});
	// Its health check is none: the repository is away
	await until('the agent to answer', async () => (await stack.holdfast('targets')).exitCode === 0, {timeout: 60_000});
	const begun = Date.now();
	const [result] = await stack.backup(`${stack.project}/app`);
	t.is(result?.outcome, 'failed');
	t.regex(result?.error ?? '', /nowhere\.invalid.* no such host/);
	t.true(Date.now() - begun < 60_000, `${Date.now() - begun} ms`);
	const {stdout} = await stack.holdfast('doctor');
	t.regex(stdout, /cannot be reached.*no such host/);
});

test.serial('a restic that is killed for memory says so', async t => {
	await stack.change({
		network_mode: 'bridge',
		extra_hosts: ['known.test:127.0.0.1'],
		dns_search: ['holdfast.test'],
		// The folder behind it, opened by restic alone: what must be stretched to open it needs more
		environment: {HOLDFAST_WORKER_MEMORY: '16MiB', RESTIC_REPOSITORY: '/repository'},
	});
	await stack.ready();
	const run = stack.backup(`${stack.project}/app`);
	const worker = await workerOf(run);
	t.deepEqual(worker.HostConfig.ExtraHosts, ['known.test:127.0.0.1']);
	t.deepEqual(worker.HostConfig.DnsSearch, ['holdfast.test']);
	t.is(worker.HostConfig.Memory, 16 * 1024 ** 2);
	const [result] = await run;
	t.is(result?.outcome, 'failed');
	t.regex(result?.error ?? '', /out of memory.*HOLDFAST_WORKER_MEMORY/);
});
