/** The doctor on a real engine: every finding names its fix, and what is wrong makes it exit with 1. Lane: waits. Turns: surfaces. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import type {Finding} from '../../../base/shapes/targets.ts';
import {createFakeSlack, tokens} from '../../support/doubles/fake-slack.ts';
import {ensureImage} from '../../support/images.ts';
import {makeKeyCheap} from '../../support/stack/cheap-key.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const proxy = fileURLToPath(new URL('../../support/doubles/socket-proxy.ts', import.meta.url));
const bind = fileURLToPath(new URL('../../images/', import.meta.url));

test('what is unprotected, matches nothing, is forbidden, shut or away has a finding, and each finding its fix', async t => {
	t.timeout(5 * 60_000);
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const slack = await createFakeSlack({host: '0.0.0.0'});
	t.teardown(slack.close);
	const idle = {image: app, entrypoint: ['sleep', '100000'], init: true, stop_grace_period: '1s'};
	const database = {image: postgres, environment: {POSTGRES_PASSWORD: 'x'}, stop_grace_period: '1s'};
	const stack = await startStack(t, {
		holdfast: {
			depends_on: ['proxy'],
			volumes: ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'],
			extra_hosts: ['slack.test:host-gateway'],
			environment: {DOCKER_HOST: 'tcp://proxy:2375', TZ: 'Europe/Berlin'},
		},
		services: {
			proxy: {
				image: app,
				entrypoint: ['node', '--disable-warning=ExperimentalWarning', '/socket-proxy.ts'],
				volumes: ['/var/run/docker.sock:/var/run/docker.sock', `${proxy}:/socket-proxy.ts:ro`],
			},
			app: {
				...idle,
				volumes: ['data:/data', 'uploads:/uploads', `${bind}:/files`],
				labels: {'holdfast.enable': 'true', 'holdfast.tar': '/etc/debian_version'},
			},
			wrong: {
				...idle,
				volumes: ['wrong:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/dta', 'holdfast.quiesce.with': 'apq', 'holdfast.quiese': 'stop'},
			},
			db: {...database, volumes: ['db:/var/lib/postgresql/data']},
			shop: {...database, volumes: ['shop:/var/lib/postgresql/data'], labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'true'}},
			stray: {...idle, labels: {'holdfast.schedule': '@daily'}},
			off: {...idle, volumes: ['scratch:/scratch'], labels: {'holdfast.enable': 'false'}},
		},
		volumes: ['data', 'uploads', 'wrong', 'db', 'shop', 'scratch'],
	});
	await makeKeyCheap(stack.container('holdfast'));
	const doctor = async () => {
		const {exitCode, stdout} = await stack.holdfast('doctor', '--json');
		const findings = JSON.parse(stdout) as Finding[];
		t.deepEqual(
			findings.filter(({level, hint}) => level !== 'ok' && !hint),
			[],
			'each has its fix',
		);
		const of = (level: Finding['level']) =>
			findings
				.filter(finding => finding.level === level)
				.map(({subject, message, hint}) => `${subject}: ${message} (${hint})`)
				.join('\n');
		return {exitCode, errors: of('error'), warnings: of('warning'), well: of('ok')};
	};

	await until('the server', async () => (await stack.exec('shop', 'pg_isready', '--quiet', '--host=127.0.0.1')) === '', {timeout: 60_000});
	const first = await doctor();
	t.is(first.exitCode, 1);
	for (const pattern of [
		/app: .*_uploads.*holdfast\.volumes/,
		/app: .*_data".*holdfast\.volumes/,
		/app: .*test\/images.* at \/files .*holdfast\.volumes/,
		/db-1: .*_db".*holdfast\.postgres=true/,
		/stray-1: .*holdfast\.schedule.*is no target.*holdfast\.enable=true/,
	]) {
		t.regex(first.warnings, pattern);
	}

	// Other projects of the engine may have left volumes that a new agent is told of.
	t.notRegex(first.warnings, new RegExp(`${stack.project}_(?:scratch|hf-)`));
	t.regex(first.errors, /wrong: .*\/dta.*\n.*wrong: |wrong: .*\n.*\/dta/s);
	t.regex(first.errors, /wrong: .*apq/);
	t.regex(first.errors, /wrong: .*holdfast\.quiese.*holdfast\.quiesce/);
	t.notRegex(first.errors, /^(?!\S*\/wrong: )/m, 'nothing else is wrong');
	for (const pattern of [
		/version: Holdfast \d.*, restic \d.*, SQLite 3\..*, Node \d/,
		/engine: version \d/,
		/clock: .*Europe\/Berlin/,
		/repository: opened with its password/,
		/shop: its databases \(PostgreSQL 17\..*\) are dumped by a worker/,
		/slack: no bot/,
		/it lets the agent do all/,
	]) {
		t.regex(first.well, pattern);
	}

	await stack.compose('rm', '--stop', '--force', 'wrong');
	t.deepEqual(
		await doctor().then(({exitCode, errors}) => ({exitCode, errors})),
		{exitCode: 0, errors: ''},
		'warnings alone are no failure',
	);

	await stack.exec('proxy', 'sh', '-c', "echo 'POST /containers/{id}/pause' >/tmp/forbidden");
	await stack.restic('backup', '/etc/hostname', '--time', '2099-06-01 00:00:00', '--tag', 'holdfast', '--host', 'h');
	const shut = await doctor();
	t.is(shut.exitCode, 1);
	t.regex(shut.errors, /engine: the agent may not pause a container.*docs\/security\.md/);
	t.notRegex(shut.errors, /unpause/);
	t.regex(shut.errors, /clock: the newest snapshot is of 2099.*NTP/);
	await stack.exec('proxy', 'rm', '/tmp/forbidden');

	await stack.exec('holdfast', 'mv', '/repository/config', '/repository/gone');
	t.regex((await doctor()).errors, /repository: .*it was here before.*check that its volume is mounted/);
	await stack.exec('holdfast', 'mv', '/repository/gone', '/repository/config');

	await stack.change({
		environment: {
			RESTIC_PASSWORD: 'another',
			SLACK_BOT_TOKEN: tokens.bot,
			SLACK_APP_TOKEN: tokens.app,
			HOLDFAST_SLACK_API_URL: slack.url('slack.test'),
		},
	});
	await until('the agent to answer', async () => (await stack.holdfast('targets')).exitCode === 0, {timeout: 60_000});
	await until('the bot to be connected', () => slack.connections() === 1, {timeout: 60_000});
	const locked = await doctor();
	t.is(locked.exitCode, 1);
	t.regex(locked.errors, /repository: .*wrong password.*RESTIC_PASSWORD/);
	t.regex(locked.well, /slack: the bot is connected/);

	slack.fault = 'down';
	slack.drop();
	await stack.compose('stop', 'proxy');
	const away = await until('Slack to be away', async () => {
		const found = await doctor();
		return found.errors.includes('slack: the bot is not connected') && found;
	});
	t.is(away.exitCode, 1);
	t.regex(away.errors, /engine: it does not answer at .*is it running/);
});
