/** compose.example.yml as it stands: `npm run demo`, and then its profiles, as a person gets them who starts them. */
import {randomBytes} from 'node:crypto';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {parse, stringify} from 'yaml';
import {alerts} from '../../../monitoring/alerts.ts';
import {docker} from '../../support/docker.ts';
import {allText, operator} from '../../support/doubles/bot.ts';
import {createFakeSlack, tokens} from '../../support/doubles/fake-slack.ts';
import {ensureImage} from '../../support/images.ts';
import {until} from '../../support/until.ts';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const example = join(top, 'compose.example.yml');

const images = {prometheus: 'prom/prometheus:v3.5.0', alertmanager: 'prom/alertmanager:v0.28.1'};

/** Under another name, so that others may run too; with Slack beside the test. */
async function openExample(t: ExecutionContext) {
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const project = `hf-test-${randomBytes(4).toString('hex')}`;
	const folder = await mkdtemp(join(tmpdir(), `${project}-`));
	const secret = (name: string) => ({file: join(folder, name)});
	const override = {
		services: {slack: {extra_hosts: ['slack.test:host-gateway'], environment: {HOLDFAST_SLACK_API_URL: slack.url('slack.test')}}},
		secrets: {'api-token': secret('api-token'), 'slack-bot-token': secret('bot-token'), 'slack-app-token': secret('app-token')},
	};
	await writeFile(join(folder, 'bot-token'), tokens.bot);
	await writeFile(join(folder, 'app-token'), tokens.app);
	// The ports of this machine are left to others
	const withoutPorts = stringify(override).replace('services:\n', 'services:\n  alertmanager:\n    ports: !reset []\n');
	await writeFile(join(folder, 'override.yml'), withoutPorts);
	const env = {
		COMPOSE_PROJECT_NAME: project,
		HOLDFAST_IMAGE: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
		HOLDFAST_SLACK_OPERATORS: operator.user,
		POSTGRES_IMAGE: await ensureImage('postgres:17'),
		NODE_IMAGE: await ensureImage('node:24-trixie-slim'),
		PROMETHEUS_IMAGE: await ensureImage(images.prometheus),
		ALERTMANAGER_IMAGE: await ensureImage(images.alertmanager),
	};
	const fixed = ['--file', example, '--file', join(folder, 'override.yml'), '--profile', 'monitoring', '--profile', 'slack'];
	const compose = async (...args: string[]) => execa('docker', ['compose', ...fixed, ...args], {env, reject: false});
	t.teardown(async () => {
		await compose('down', '--volumes', '--timeout', '1', '--remove-orphans');
		await rm(folder, {recursive: true, force: true});
	});
	const demo = async () =>
		execa(process.execPath, ['--disable-warning=ExperimentalWarning', 'example/demo.ts'], {cwd: top, env, reject: false, all: true});
	return {project, folder, slack, compose, demo};
}

/** Asks a service from outside, as a browser would; undefined while it does not answer. */
async function ask(container: string, address: string): Promise<unknown> {
	const ip = await docker(['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container]);
	const answer = await fetch(`http://${ip}${address}`).catch(() => undefined);
	return answer?.ok ? answer.json() : undefined;
}

interface Rule {
	name: string;
	health: string;
	lastError?: string;
}

test('the demonstration gets its data back, and the profiles `monitoring` and `slack` work with nothing to click', async t => {
	t.timeout(6 * 60_000);
	const {project, folder, slack, compose, demo} = await openExample(t);
	const run = async (...args: string[]) => {
		const {exitCode, stdout, stderr} = await compose(...args);
		t.is(exitCode, 0, stderr);
		return stdout;
	};
	const holdfast = async (service: string, ...args: string[]) => compose('exec', '-T', service, 'holdfast', ...args);

	const shown = await demo();
	t.is(shown.exitCode, 0, shown.all);
	t.regex(shown.all, /The data is back\./);

	// What is no database in its place: its application has the former one open, and goes on
	await run('exec', '-T', 'webui', 'sh', '-c', 'cd /app/backend/data && rm webui.db && echo none > webui.db');
	// Before the first scrape, so that it is among the first things that Prometheus sees
	const lacking = await holdfast('holdfast', 'backup', `${project}/webui`);
	t.is(lacking.exitCode, 3, lacking.stdout + lacking.stderr);
	await run('up', '--detach', '--no-deps', 'prometheus', 'alertmanager');

	await writeFile(join(folder, 'api-token'), await run('exec', '-T', 'holdfast', 'cat', '/state/api-token'));
	await run('up', '--detach', '--no-deps', 'slack');
	await until('the bot to be connected', () => slack.connections() === 1, {timeout: 60_000});
	await until('the bot to be well', async () => (await holdfast('slack', 'healthcheck')).exitCode === 0);
	const {replies} = await slack.command(operator, '/backup', '');
	await until('the answer', () => replies.some(reply => allText(reply).includes(`${project}/webui`)));

	const told = await until(
		'Alertmanager to be told',
		async () => {
			const given = (await ask(`${project}-alertmanager-1`, ':9093/api/v2/alerts')) as Array<Record<string, unknown>> | undefined;
			return given?.find(({labels}) => (labels as Record<string, string>).alertname === 'HoldfastBackupPartial');
		},
		{timeout: 120_000, interval: 300},
	);
	t.like(told, {
		labels: {target: `${project}/webui`, job: 'holdfast', severity: 'warning'},
		receivers: [{name: 'people'}],
	});

	const prometheus = async (path: string) =>
		((await ask(`${project}-prometheus-1`, `:9090/api/v1/${path}`)) as {data: Record<string, unknown>}).data;
	const {activeTargets} = (await prometheus('targets?state=active')) as {activeTargets: Array<Record<string, unknown>>};
	t.deepEqual(
		activeTargets.map(({scrapeUrl, health, lastError}) => ({scrapeUrl, health, lastError})),
		[{scrapeUrl: 'http://holdfast:9797/metrics', health: 'up', lastError: ''}],
	);
	const {groups} = (await prometheus('rules')) as {groups: Array<{rules: Rule[]}>};
	t.deepEqual(
		groups.flatMap(({rules}) => rules.map(({name, health, lastError}) => ({name, health, lastError}))),
		alerts.map(({name}) => ({name, health: 'ok', lastError: undefined})),
	);
});

test('each service is in its profile, and the images are those that the stand-ins stand for', async t => {
	const {services} = parse(await readFile(example, 'utf8')) as {services: Record<string, {image: string; profiles?: string[]}>};
	const profiles = {prometheus: 'monitoring', alertmanager: 'monitoring', grafana: 'monitoring', slack: 'slack'};
	t.deepEqual(
		Object.fromEntries(Object.entries(services).flatMap(([name, service]) => (service.profiles ? [[name, service.profiles.join()]] : []))),
		profiles,
	);
	for (const [service, image] of Object.entries(images)) {
		t.true(services[service]?.image.endsWith(`:-${image}}`), service);
	}

	const config = ['compose', '--file', example, '--profile', 'monitoring', '--profile', 'slack', 'config', '--quiet'];
	t.is((await execa('docker', config)).stderr, '');
});
