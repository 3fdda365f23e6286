/** The alerts of monitoring/ with the real Prometheus and Alertmanager: each real fault reaches a webhook, and so does its end. */
import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {docker} from '../../support/docker.ts';
import {createFakeSlack, tokens} from '../../support/doubles/fake-slack.ts';
import {ensureImage} from '../../support/images.ts';
import {readerService} from '../../support/stack/reader.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const monitoring = fileURLToPath(new URL('../../../monitoring', import.meta.url));
const proxy = fileURLToPath(new URL('../../support/doubles/socket-proxy.ts', import.meta.url));

/** Prints each alert that it is told of as one line. */
const webhook = `require('node:http').createServer((request, response) => {
	let body = '';
	request.on('data', part => (body += part)).on('end', () => {
		for (const {status, labels} of JSON.parse(body).alerts) console.log(status, JSON.stringify(labels));
		response.end();
	});
}).listen(8080)`;

const prometheusConfig = {
	global: {scrape_interval: '1s', evaluation_interval: '1s'},
	rule_files: ['rules.yml'],
	scrape_configs: [{job_name: 'holdfast', static_configs: [{targets: ['holdfast:9797']}]}],
	alerting: {alertmanagers: [{static_configs: [{targets: ['alertmanager:9093']}]}]},
};

const alertmanagerConfig = {
	route: {receiver: 'webhook', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h'},
	receivers: [{name: 'webhook', webhook_configs: [{url: 'http://webhook:8080/', send_resolved: true}]}],
};

/** The rules as they are, only sooner: nothing is waited for, what is due once in four years is late after some seconds, and a lock is soon old. */
const sooner = (rules: string): string =>
	rules
		.replaceAll(/for: \w+/g, 'for: 0s')
		.replaceAll('1.25 * holdfast_expected_interval_seconds', '0.0000001 * holdfast_expected_interval_seconds')
		.replaceAll('+ 3600', '+ 0')
		.replaceAll('timestamp_seconds > 3600', 'timestamp_seconds > 0')
		.replaceAll('lock_age_seconds > 1800', 'lock_age_seconds > 5');

async function configuration(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-monitoring-'));
	await writeFile(join(folder, 'prometheus.yml'), stringify(prometheusConfig));
	await writeFile(join(folder, 'alertmanager.yml'), stringify(alertmanagerConfig));
	// Neither program is root
	await chmod(folder, 0o755);
	await writeFile(join(folder, 'rules.yml'), sooner(await readFile(join(monitoring, 'prometheus/rules.yml'), 'utf8')));
	return folder;
}

async function services(folder: string) {
	const app = await ensureImage('holdfast-test/app:latest');
	const prometheus = await ensureImage('prom/prometheus:v3.5.0');
	const alertmanager = await ensureImage('prom/alertmanager:v0.28.1');
	const quiet = {init: true, stop_grace_period: '1s', labels: {'holdfast.enable': 'false'}};
	return {
		proxy: {
			image: app,
			entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/socket-proxy.ts'],
			volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${proxy}:/socket-proxy.ts:ro`],
			...quiet,
		},
		app: {
			image: app,
			entrypoint: ['sleep', '100000'],
			volumes: ['data:/data'],
			...quiet,
			labels: {'holdfast.enable': 'true', 'holdfast.before': 'test ! -e /data/broken', 'holdfast.before.on-error': 'fail'},
		},
		scratch: {image: app, entrypoint: ['sleep', '100000'], volumes: ['scratch:/scratch'], init: true, stop_grace_period: '1s'},
		webhook: {image: app, entrypoint: ['node', '-e', webhook], ...quiet},
		alertmanager: {
			image: alertmanager,
			command: ['--config.file=/etc/holdfast/alertmanager.yml', '--storage.path=/alertmanager', '--cluster.listen-address='],
			volumes: [`${folder}:/etc/holdfast:ro`, `${monitoring}:/monitoring:ro`],
			...quiet,
		},
		prometheus: {
			image: prometheus,
			command: ['--config.file=/etc/holdfast/prometheus.yml', '--storage.tsdb.path=/prometheus'],
			volumes: [`${folder}:/etc/holdfast:ro`, `${monitoring}:/monitoring:ro`],
			...quiet,
		},
	};
}

/** What the webhook was told of an alert: `firing` as long as it fires for any target, undefined where it never did. */
async function told(stack: Stack, alert: string): Promise<'firing' | 'resolved' | undefined> {
	const lines = (await docker(['logs', stack.container('webhook')])).split('\n').filter(line => line.includes(`"alertname":"${alert}"`));
	const lasts = new Map(lines.map(line => [line.slice(line.indexOf('{')), line.split(' ')[0]]));
	return lasts.size === 0 ? undefined : [...lasts.values()].includes('firing') ? 'firing' : 'resolved';
}

/** Waits until the webhook was told so, and logs when. */
function becoming(t: ExecutionContext, stack: Stack): (alert: string, state: 'firing' | 'resolved') => Promise<void> {
	const began = performance.now();
	return async (alert, state) => {
		await until(`${alert} to be ${state}`, async () => (await told(stack, alert)) === state, {timeout: 120_000, interval: 300});
		t.log(`${((performance.now() - began) / 1000).toFixed(0)} s: ${alert} ${state}`);
	};
}

test('every fault that can be made here fires its alert, and mending it ends the alert', async t => {
	t.timeout(8 * 60_000);
	const folder = await configuration();
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const stack = await startStack(t, {
		holdfast: {
			depends_on: ['proxy'],
			volumes: ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'],
			environment: {DOCKER_HOST: 'tcp://proxy:2375'},
		},
		services: await services(folder),
		volumes: ['data', 'scratch'],
	});
	const target = `${stack.project}/app`;
	const becomes = becoming(t, stack);

	await becomes('HoldfastUnprotectedVolumes', 'firing');
	await becomes('HoldfastBackupNeverSucceeded', 'firing');
	await stack.exec('app', 'touch', '/data/broken');
	t.is((await stack.backup(target))[0]?.outcome, 'failed');
	await becomes('HoldfastBackupFailed', 'firing');

	await stack.compose('stop', 'scratch');
	await stack.exec('app', 'rm', '/data/broken');
	t.is((await stack.backup(target))[0]?.outcome, 'success');
	await becomes('HoldfastBackupFailed', 'resolved');
	await becomes('HoldfastBackupNeverSucceeded', 'resolved');
	await becomes('HoldfastUnprotectedVolumes', 'resolved');
	await becomes('HoldfastBackupStale', 'firing');
	t.is((await stack.backup(target))[0]?.outcome, 'success');
	await becomes('HoldfastBackupStale', 'resolved');

	const metrics = (await stack.api('GET', '/metrics')).body as string;
	t.regex(metrics, new RegExp(`^holdfast_runs_total\\{target="${target}",operation="backup",outcome="failed"\\} 1$`, 'm'));
	t.is(await docker(['exec', '--interactive', stack.container('prometheus'), 'promtool', 'check', 'metrics'], {input: metrics}), '');
	t.regex(await stack.exec('prometheus', 'promtool', 'test', 'rules', '/monitoring/prometheus/rules.test.yml'), /SUCCESS/);
	t.regex(await stack.exec('prometheus', 'promtool', 'check', 'config', '/monitoring/prometheus/prometheus.yml'), /SUCCESS/);
	t.regex(await stack.exec('alertmanager', 'amtool', 'check-config', '/monitoring/alertmanager/alertmanager.yml'), /SUCCESS/);

	await stack.exec('proxy', 'sh', '-c', "echo 'POST /containers/{id}/unpause' >/tmp/forbidden");
	t.not((await stack.backup(target))[0]?.outcome, 'success');
	t.is(await stack.state('app'), 'paused');
	await becomes('HoldfastContainersLeftQuiesced', 'firing');
	await stack.exec('proxy', 'rm', '/tmp/forbidden');
	await becomes('HoldfastContainersLeftQuiesced', 'resolved');
	t.is(await stack.state('app'), 'running');

	await stack.compose('stop', 'proxy');
	await becomes('HoldfastEngineDown', 'firing');
	await stack.compose('start', 'proxy');
	await becomes('HoldfastEngineDown', 'resolved');

	await stack.exec('holdfast', 'mv', '/repository/config', '/repository/gone');
	t.is((await stack.backup(target))[0]?.outcome, 'failed');
	await becomes('HoldfastRepositoryUnreachable', 'firing');
	await stack.exec('holdfast', 'mv', '/repository/gone', '/repository/config');
	await becomes('HoldfastRepositoryUnreachable', 'resolved');

	await stack.compose('stop', 'holdfast');
	await becomes('HoldfastAgentAbsent', 'firing');
	await stack.compose('start', 'holdfast');
	await becomes('HoldfastAgentAbsent', 'resolved');
	const after = (await stack.api('GET', '/metrics')).body as string;
	t.regex(
		after,
		new RegExp(`^holdfast_runs_total\\{target="${target}",operation="backup",outcome="failed"\\} [123]$`, 'm'),
		'not from zero',
	);
});

/** How often Prometheus has asked the agent; it looks at its rules as often. */
async function scrapes(stack: Stack): Promise<number> {
	const counted = await stack.exec('prometheus', 'promtool', 'query', 'instant', 'http://localhost:9090', 'count_over_time(up[1h])');
	return Number(/=> (\d+)/.exec(counted)?.[1]);
}

const seldom = '0 3 29 2 *';

test('what else can be wrong fires its alert until it is mended; what is wanted fires none', async t => {
	t.timeout(12 * 60_000);
	const folder = await configuration();
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const {webhook: hook, alertmanager, prometheus} = await services(folder);
	const image = await ensureImage('holdfast-test/app:latest');
	const of = (labels: Record<string, string>) => ({
		image,
		entrypoint: ['sleep', '100000'],
		init: true,
		stop_grace_period: '1s',
		labels: {
			'holdfast.enable': 'true',
			...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`holdfast.${name}`, value])),
		},
	});
	const stackServices = {
		webhook: hook,
		alertmanager,
		prometheus,
		app: {...of({schedule: seldom, drill: seldom, volumes: 'true', tar: '/etc/hostname.kept'}), volumes: ['data:/data']},
		leaving: {...of({schedule: seldom, drill: seldom}), volumes: ['gone:/data']},
		resting: {...of({schedule: seldom, drill: seldom, 'stream.words': 'echo words', volumes: 'true'}), volumes: ['rest:/data']},
		mistaken: {...of({schedule: 'now and then'}), volumes: ['mistaken:/data']},
		reader: readerService(),
	};
	const stack = await startStack(t, {
		holdfast: {environment: {HOLDFAST_PRUNE_SCHEDULE: seldom, HOLDFAST_CHECK_SCHEDULE: seldom, HOLDFAST_SCHEDULE: seldom}},
		services: stackServices,
		volumes: ['data', 'gone', 'rest', 'mistaken'],
	});
	const target = `${stack.project}/app`;
	const becomes = becoming(t, stack);
	const done = async (...argv: string[]) => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...argv);
		t.is(exitCode, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
	};

	await becomes('HoldfastTargetProblems', 'firing');
	await stack.compose('rm', '--stop', '--force', 'mistaken');
	await becomes('HoldfastTargetProblems', 'resolved');

	await stack.exec('app', 'sh', '-c', 'head -c 3000000 /dev/urandom >/data/file; echo kept >/etc/hostname.kept');
	for (const each of [target, `${stack.project}/leaving`]) {
		t.is((await stack.backup(each))[0]?.outcome, 'success');
	}

	// Alone, it is missed; when somebody says that it is meant so, it is not.
	await stack.compose('rm', '--stop', '--force', 'leaving');
	await becomes('HoldfastTargetGone', 'firing');
	await done('forget', `${stack.project}/leaving`);
	await becomes('HoldfastTargetGone', 'resolved');

	await stack.exec('app', 'mv', '/etc/hostname.kept', '/etc/hostname.lost');
	t.is((await stack.backup(target))[0]?.outcome, 'partial');
	await becomes('HoldfastBackupPartial', 'firing');
	await stack.exec('app', 'sh', '-c', 'mv /etc/hostname.lost /etc/hostname.kept; rm /data/file');
	t.is((await stack.backup(target))[0]?.outcome, 'success');
	await becomes('HoldfastBackupPartial', 'resolved');
	await becomes('HoldfastTargetSuspicious', 'firing');
	await done('prune', '--accept', target);
	await becomes('HoldfastTargetSuspicious', 'resolved');

	await becomes('HoldfastDrillStale', 'firing');
	await done('drill', target);
	await becomes('HoldfastDrillStale', 'resolved');
	await becomes('HoldfastPruneStale', 'firing');
	await done('prune');
	await becomes('HoldfastPruneStale', 'resolved');

	await stack.exec('holdfast', 'mv', '/repository/data', '/repository/lost');
	t.not((await stack.holdfast('check')).exitCode, 0);
	await becomes('HoldfastCheckFailed', 'firing');
	await stack.exec('holdfast', 'sh', '-c', 'rm -rf /repository/data && mv /repository/lost /repository/data');
	await done('check');
	await becomes('HoldfastCheckFailed', 'resolved');

	// Somebody else's restic, which has a lock and does not refresh it for a while. The agent looks every ten minutes, and after each backup.
	const holding = stack.exec(
		'reader',
		'sh',
		'-c',
		'(until test -e /tmp/enough; do sleep 0.2; done; echo enough) | restic backup --quiet --stdin --stdin-filename other --host other',
	);
	holding.catch(() => {});
	await until(
		'the lock to be some seconds old',
		async () => (await stack.exec('reader', 'find', '/repository/locks', '-type', 'f', '!', '-newermt', '8 seconds ago')) !== '',
		{timeout: 60_000, interval: 300},
	);
	t.is((await stack.backup(target))[0]?.outcome, 'success', 'a lock that is not exclusive keeps nobody from a backup');
	await becomes('HoldfastLockOld', 'firing');
	await stack.exec('reader', 'touch', '/tmp/enough');
	await holding;

	// What is wanted: a project that is at rest, an agent that is started again.
	t.is((await stack.backup(target))[0]?.outcome, 'success');
	await becomes('HoldfastLockOld', 'resolved');
	t.is((await stack.backup(`${stack.project}/resting`))[0]?.outcome, 'success');
	await stack.compose('stop', 'app', 'resting');
	t.is((await stack.backup(target))[0]?.outcome, 'success', 'files are there while their container is stopped');
	t.is((await stack.backup(`${stack.project}/resting`))[0]?.outcome, 'partial', 'a command is not');
	await stack.compose('restart', 'holdfast');
	await stack.ready();
	const before = await scrapes(stack);
	await until('the rules to be looked at with what the new life shows', async () => (await scrapes(stack)) >= before + 10, {
		timeout: 60_000,
		interval: 500,
	});
	for (const alert of [
		'HoldfastBackupPartial',
		'HoldfastBackupFailed',
		'HoldfastTargetGone',
		'HoldfastTargetProblems',
		'HoldfastContainersLeftQuiesced',
	]) {
		t.not(await told(stack, alert), 'firing', alert);
	}
});

test('a drill, a copy, an outage and Slack: each fires by its cause, and ends when that is mended', async t => {
	t.timeout(12 * 60_000);
	const folder = await configuration();
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const disk = {repository: '/copy/repository', password: 'password of the disk', schedule: seldom};
	await mkdir(join(folder, 'agent'));
	await writeFile(join(folder, 'agent/config.yml'), stringify({copies: {disk}}), {mode: 0o600});
	const {webhook: hook, alertmanager, prometheus} = await services(folder);
	const stack = await startStack(t, {
		holdfast: {
			extra_hosts: ['slack.test:host-gateway'],
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				`${folder}/agent:/etc/holdfast:ro`,
				...['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache', 'copy:/copy'],
			],
			environment: {
				SLACK_BOT_TOKEN: tokens.bot,
				SLACK_APP_TOKEN: tokens.app,
				HOLDFAST_SLACK_API_URL: slack.url('slack.test'),
			},
		},
		services: {
			webhook: hook,
			alertmanager,
			prometheus,
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				stop_grace_period: '1s',
				command: ['sleep', '100000'],
				volumes: ['data:/data'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.schedule': seldom,
					'holdfast.drill': seldom,
					// What grows after the first pass must be read in the moment: sparse, and more than is read in the time on any machine
					'holdfast.before': '["sh", "-c", "! test -e /data/grows || truncate -s 100G /data/grows"]',
					'holdfast.quiesce.timeout': '5s',
				},
			},
		},
		volumes: ['data', 'copy'],
	});
	const target = `${stack.project}/app`;
	const becomes = becoming(t, stack);
	const fails = async (why: RegExp, ...argv: string[]) => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...argv);
		t.is(exitCode, 1, `${argv.join(' ')}: ${stdout}${stderr}`);
		t.regex(`${stdout}${stderr}`, why);
	};
	const done = async (...argv: string[]) => {
		const {exitCode, stdout, stderr} = await stack.holdfast(...argv);
		t.is(exitCode, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
	};

	await until('the bot to be connected', () => slack.connections() === 1, {timeout: 60_000});
	slack.fault = 'down';
	slack.drop();
	await becomes('HoldfastSlackDisconnected', 'firing');
	slack.fault = '';
	await becomes('HoldfastSlackDisconnected', 'resolved');

	await stack.exec('app', 'sh', '-c', 'head -c 3000000 /dev/urandom >/data/file');
	await done('backup', target);
	await becomes('HoldfastCopyStale', 'firing');
	await done('copy', 'disk');
	await becomes('HoldfastCopyStale', 'resolved');

	// The file, and not the manifest: what cannot be read at all is no run, but an answer to who asks for it
	const inRepository = async (script: string) => stack.exec('holdfast', 'sh', '-c', `cd /repository/data && ${script}`);
	await inRepository('mkdir ../lost && find . -type f -size +1M -exec cp --parents -t ../lost {} + -exec rm {} +');
	await fails(/no such file or directory/, 'drill', target);
	await becomes('HoldfastDrillFailed', 'firing');
	await inRepository('cp -r ../lost/. . && rm -r ../lost');
	await done('drill', target);
	await becomes('HoldfastDrillFailed', 'resolved');

	await stack.exec('app', 'touch', '/data/grows');
	await fails(/longer than|quiesce\.timeout/, 'backup', target);
	t.is(await stack.state('app'), 'running');
	await becomes('HoldfastOutageAboveLimit', 'firing');
	await stack.exec('app', 'rm', '/data/grows');
	await done('backup', target);
	await becomes('HoldfastOutageAboveLimit', 'resolved');
});
