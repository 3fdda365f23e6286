/** The doctor: each finding names its fix, and what is wrong makes it exit with 1. */
import {fileURLToPath} from 'node:url';
import test from 'ava';
import type {Finding} from '../../agent/agent.ts';
import {ensureImage} from '../support/images.ts';
import {startStack} from '../support/stack.ts';

const proxy = fileURLToPath(new URL('../support/socket-proxy.ts', import.meta.url));

test('the doctor finds what is unprotected, what matches nothing, and what the engine forbids', async t => {
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const idle = {image: app, entrypoint: ['sleep', '100000'], init: true, stop_grace_period: '1s'};
	const stack = await startStack(t, {
		holdfast: {
			depends_on: ['proxy'],
			volumes: ['hf-repository:/repository', 'hf-state:/state', 'hf-cache:/cache'],
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
				volumes: ['data:/data', 'uploads:/uploads'],
				labels: {'holdfast.enable': 'true', 'holdfast.tar': '/etc/debian_version'},
			},
			db: {image: postgres, environment: {POSTGRES_PASSWORD: 'x'}, volumes: ['db:/var/lib/postgresql/data']},
			stray: {...idle, labels: {'holdfast.schedule': '@daily'}},
			off: {...idle, volumes: ['scratch:/scratch'], labels: {'holdfast.enable': 'false'}},
		},
		volumes: ['data', 'uploads', 'db', 'scratch'],
	});
	const doctor = async () => {
		const {exitCode, stdout} = await stack.holdfast('doctor', '--json');
		return {exitCode, findings: JSON.parse(stdout) as Finding[]};
	};
	const texts = (findings: Finding[], level: Finding['level']) =>
		findings.filter(finding => finding.level === level).map(({subject, message, hint}) => `${subject}: ${message} (${hint})`);

	const well = await doctor();
	t.is(well.exitCode, 0);
	t.deepEqual(texts(well.findings, 'error'), []);
	t.true(well.findings.every(({level, hint}) => level === 'ok' || hint !== undefined));
	const warnings = texts(well.findings, 'warning').join('\n');
	for (const pattern of [
		/uploads.*holdfast\.volumes/,
		/data" .*holdfast\.volumes/,
		/_db".*holdfast\.postgres=true/,
		/holdfast\.schedule.*is no target/,
	]) {
		t.regex(warnings, pattern);
	}

	t.notRegex(warnings, /scratch|hf-/);
	t.regex(texts(well.findings, 'ok').join('\n'), /Europe\/Berlin.*\n(?:.*\n)*.*it lets the agent do all/);

	await stack.exec('proxy', 'sh', '-c', "echo 'POST /containers/{id}/pause' >/tmp/forbidden");
	const shut = await doctor();
	t.is(shut.exitCode, 1);
	t.regex(texts(shut.findings, 'error').join('\n'), /may not pause a container.*docs\/security\.md/);

	await stack.compose('stop', 'proxy');
	const away = await doctor();
	t.is(away.exitCode, 1);
	t.regex(texts(away.findings, 'error').join('\n'), /engine: it does not answer at .*is it running/);
});
