/** Servers as people run them: encrypted, behind a user, with other names for commands, without a volume, replicas, at another save. Lane: works. Turns: odd. */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const labels = {'holdfast.enable': 'true', 'holdfast.valkey': 'true'};

const certificate =
	'openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=cache -keyout /tmp/key -out /tmp/cert 2>/dev/null; chmod 644 /tmp/key';

/** With a configuration of these lines, started as the image does it. */
const configured = (...lines: string[]): Service => ({
	entrypoint: ['sh', '-c', `printf '%s\\n' "$$CONF" >/tmp/own.conf; exec docker-entrypoint.sh /tmp/own.conf`],
	environment: {CONF: lines.join('\n')},
	labels,
});

const services: Record<string, Service> = {
	tls: {
		entrypoint: [
			'sh',
			'-c',
			`${certificate}; exec docker-entrypoint.sh valkey-server --port 0 --tls-port 6400 --tls-cert-file /tmp/cert --tls-key-file /tmp/key --tls-ca-cert-file /tmp/cert --requirepass "$$VALKEY_PASSWORD"`,
		],
		environment: {VALKEY_PASSWORD: 'of the environment'},
		labels,
	},
	acl: {
		...configured('user default off', 'user keeper on >hush ~* +echo +info +config|get +bgsave'),
		labels: {...labels, 'holdfast.valkey.user': 'keeper'},
	},
	renamed: configured('rename-command CONFIG "c 1"', 'rename-command BGSAVE save-now', 'requirepass "s p"'),
	forbidden: configured('rename-command BGSAVE ""'),
	closed: configured('rename-command CONFIG ""'),
	socket: configured('port 0', 'unixsocket /tmp/valkey.sock'),
	layer: {command: ['valkey-server', '--dir', '/tmp'], labels},
	fixed: {command: ['valkey-server', '--dir', '/srv', '--save', ''], read_only: true, labels},
	replica: {command: ['valkey-server', '--replicaof', 'layer', '6379'], labels},
	other: {
		command: ['valkey-server', '--requirepass', 'unknown', '--save', ''],
		environment: {VALKEY_EXTRA_FLAGS: '--requirepass changed'},
		labels,
	},
};

const points = async (stack: Stack, service: string): Promise<BackupResult> => {
	const [result] = await stack.backup(`${stack.project}/${service}`);
	if (result === undefined) {
		throw new Error(`no result of ${service}`);
	}

	return result;
};

test('servers as people run them', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('valkey/valkey:8');
	const stack = await startStack(t, {
		services: Object.fromEntries(Object.entries(services).map(([name, service]) => [name, {image, ...service}])),
	});
	await until('the last one answers', async () => stack.exec('replica', 'sh', '-c', 'valkey-cli info replication | grep link_status:up'));
	await stack.exec('layer', 'sh', '-c', 'valkey-cli set a 1 && valkey-cli -n 3 set b 2 ex 100000');

	for (const service of ['tls', 'acl', 'renamed', 'closed', 'socket', 'layer', 'replica']) {
		const result = await points(stack, service);
		t.is(result.outcome, 'success', `${service}: ${result.error}`);
		const dump = await stack.restic('dump', result.sources[0]?.snapshot ?? '', `/${stack.project}/${service}/valkey/all`);
		t.regex(dump, /^REDIS\d{4}/, service);
	}

	const plan = async (service: string) => (await stack.holdfast('plan', `${stack.project}/${service}`)).stdout;
	t.regex(await plan('layer'), /`\/tmp`.*is in no volume/);
	t.regex(await plan('replica'), /replica of layer:6379/);
	const refused = await stack.holdfast('restore', `${stack.project}/replica`, '--yes');
	t.not(refused.exitCode, 0);
	t.regex(refused.stdout + refused.stderr, /replica of layer:6379/);
	const homeless = await stack.holdfast('restore', `${stack.project}/layer`, '--yes');
	t.not(homeless.exitCode, 0);
	t.regex(homeless.stdout + homeless.stderr, /in no volume/);

	for (const [service, why] of [
		['forbidden', /does not let `BGSAVE` be said.*quiesce/s],
		['fixed', /may not write to its own folder `\/srv`/],
	] as const) {
		const {outcome, error = ''} = await points(stack, service);
		t.is(outcome, 'failed', service);
		t.regex(error, why, service);
	}

	// Nothing of a backup lies where there was nothing, or it would be loaded with the next start.
	t.is((await points(stack, 'other')).outcome, 'success');
	t.is(await stack.exec('other', 'sh', '-c', 'ls /data'), '');
});

test('a save that was begun before the moment is waited for, and never taken', async t => {
	t.timeout(5 * 60_000);
	const stack = await startStack(t, {
		services: {
			cache: {
				image: await ensureImage('valkey/valkey:8'),
				// Every key that is saved takes half a millisecond.
				command: ['valkey-server', '--rdb-key-save-delay', '500', '--save', ''],
				volumes: ['cache:/data'],
				labels,
			},
		},
		volumes: ['cache'],
	});
	const ask = async (...words: string[]) => stack.exec('cache', 'valkey-cli', ...words);
	await until('the server answers', async () => (await ask('ping')) === 'PONG');
	await ask('eval', "for i=1,20000 do redis.call('set','k'..i,'n=early') end", '0');
	await ask('bgsave');
	await ask('set', 'k1', 'n=late');
	const {outcome, error, sources} = await points(stack, 'cache');
	t.is(outcome, 'success', error);
	const dump = await stack.restic('dump', sources[0]?.snapshot ?? '', `/${stack.project}/cache/valkey/all`);
	t.true(dump.includes('n=late'), 'it is the later one');
});
