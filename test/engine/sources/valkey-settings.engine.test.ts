/** Servers of Valkey with settings that public Compose files have: restored, undone and rehearsed, or refused with the way out. Lane: works. Turns: odd. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Service, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const labels = {'holdfast.enable': 'true', 'holdfast.valkey': 'true'};

/** Each has a volume at `/data`, and a client that it lets in. */
const services: Record<string, {client: string; service: Service}> = {
	// No root at any time, another group than the image's, names of its own, an append-only file, and nothing else on a disk.
	user: {
		client: 'valkey-cli',
		service: {
			entrypoint: ['valkey-server'],
			command: [
				...['--dbfilename', 'odd name.rdb', '--appendonly', 'yes', '--appenddirname', 'odd folder', '--appendfilename', 'odd.aof'],
				...['--protected-mode', 'no'],
			],
			user: '999:1000',
			read_only: true,
			cap_drop: ['ALL'],
		},
	},
	// A user of an ACL in one line with the server.
	line: {
		client: 'valkey-cli --no-auth-warning -a default-pa55w0rd',
		service: {command: 'valkey-server --requirepass default-pa55w0rd --user us4rn4m3 on >user-pa55w0rd ~* allcommands'},
	},
	// Its folder is another below the volume, in a configuration that is included and relative.
	below: {
		client: 'valkey-cli -a in-file -p 7000',
		service: {
			entrypoint: [
				'sh',
				'-c',
				`mkdir -p /data/cache && printf 'requirepass in-file\\ndir ./cache\\n' >/data/more.conf && printf 'include /data/more.conf\\nport 7000\\nrename-command CONFIG ""\\n' >/data/own.conf && exec docker-entrypoint.sh /data/own.conf`,
			],
		},
	},
	// What others did with the server that lies open: `config set dir`.
	moved: {client: 'valkey-cli', service: {command: ['valkey-server', '--save', '60', '1', '--enable-protected-configs', 'yes']}},
	// As REDIS_DISABLE_COMMANDS of an image does it.
	mute: {
		client: 'valkey-cli',
		service: {
			entrypoint: ['sh', '-c', `printf 'rename-command INFO ""\\n' >/tmp/own.conf && exec docker-entrypoint.sh /tmp/own.conf`],
		},
	},
};

test('settings of public Compose files', async t => {
	t.timeout(10 * 60_000);
	const image = await ensureImage('valkey/valkey:8');
	const stack = await startStack(t, {
		services: Object.fromEntries(
			Object.entries(services).map(([name, {service}]) => [name, {image, volumes: [`${name}:/data`], labels, ...service}]),
		),
		volumes: Object.keys(services),
	});
	const ask = async (service: string, ...words: string[]) =>
		stack.exec(service, 'sh', '-c', `${services[service]?.client} "$@" 2>/dev/null`, 'sh', ...words);
	const content = async (service: string) => `${await ask(service, 'get', 'word')} ${await ask(service, 'dbsize')}`;
	for (const service of Object.keys(services)) {
		await until(`${service} answers`, async () => (await ask(service, 'ping')) === 'PONG');
		await ask(service, 'set', 'word', 'first');
	}

	for (const service of ['user', 'line', 'below']) {
		const target = `${stack.project}/${service}`;
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', `${service}: ${backup?.error}`);
		await ask(service, 'set', 'word', 'second');
		await ask(service, 'set', 'more', '1');
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', `${service}: ${restored.error}`);
		t.is(await content(service), 'first 1', service);
		t.is((await stack.holdfast('restore', 'undo', restored.run)).exitCode, 0, service);
		await until(`${service} answers again`, async () => (await ask(service, 'ping')) === 'PONG');
		t.is(await content(service), 'second 2', service);
		const drilled = await stack.holdfast('drill', target);
		t.is(drilled.exitCode, 0, service + drilled.stdout + drilled.stderr);
	}

	// Saved where it saves now, which is told; not restored there.
	const moved = `${stack.project}/moved`;
	await ask('moved', 'config', 'set', 'dir', '/tmp');
	const [saved] = await stack.backup(moved);
	t.is(saved?.outcome, 'success', saved?.error);
	await until('the plan has seen it', async () =>
		/`\/tmp`, where the server .* saves, is in no volume/.test((await stack.holdfast('plan', moved)).stdout),
	);
	t.regex((await stack.holdfast('restore', moved, '--yes')).stderr, /`\/tmp`, where the server .* keeps its data, is in no volume/);
	await ask('moved', 'config', 'set', 'dir', '/etc');
	const [hijacked] = await stack.backup(moved);
	t.is(hijacked?.outcome, 'failed');
	t.regex(hijacked?.error ?? '', /may not write to its own folder `\/etc`/);

	const [unasked] = await stack.backup(`${stack.project}/mute`);
	t.is(unasked?.outcome, 'failed');
	t.regex(unasked?.error ?? '', /does not let `INFO` be said.*quiesce/s);
});
