/** Valkey and Redis servers with one of each thing that a save must carry, and the plain client to compare them by. */
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import type {Service, Stack} from '../stack.ts';
import {until} from '../until.ts';
import type {KindCase} from './suite.ts';

/** Bites in shells and in what the client reads. */
const password = `s#r'et\\d; $(x)`;

/** Commands, a line each, as a person would give them: without Holdfast. @returns what the client prints */
const ask = async (stack: Stack, client: string, ...lines: string[]): Promise<string> =>
	docker(['exec', '--interactive', '--env', `REDISCLI_AUTH=${password}`, stack.container('app'), 'sh', '-c', `${client} 2>&1`], {
		input: `${lines.join('\n')}\n`,
	});

const content = [
	String.raw`SET "we\x00ird \n\"' $(x) \xff" "bytes \x00\x01\xff"`,
	'SET number 42',
	'SET lasting 1 EX 1000000',
	'SETBIT bits 1000 1',
	'RPUSH list a b c',
	'SADD set one two three',
	'HSET hash f v g w',
	'ZADD sorted 1.5 a 2 b',
	'XADD stream 1-1 f v',
	'XGROUP CREATE stream readers 0',
	'PFADD loglog a b c',
	`EVAL "for i=1,20000 do redis.call('set','k'..i,i) end" 0`,
	String.raw`FUNCTION LOAD "#!lua name=lib\nredis.register_function('f', function() return 1 end)"`,
	'SELECT 5',
	'SET elsewhere 1',
];

const kindCase = (kind: string, program: 'valkey' | 'redis', service: () => Promise<Service>): KindCase => {
	const client = `${program}-cli`;
	return {
		kind,
		volumes: ['data'],
		services: async () => ({app: {volumes: ['data:/data'], ...(await service())}}),
		async begin(stack) {
			await until('the server answers', async () => (await ask(stack, client, 'PING')).includes('PONG'));
			await ask(stack, client, ...content);
		},
		write: async (stack, word) => ask(stack, client, `SET word ${word}`, `RPUSH log ${word}`, ...(word === 'second' ? ['DEL k1'] : [])),
		// All keys and values of all databases, whatever their encoding.
		read: async stack => ask(stack, client, 'DEBUG DIGEST', 'DBSIZE', 'FUNCTION LIST WITHCODE', 'LRANGE log 0 -1', 'SELECT 5', 'DBSIZE'),
		async spoil(stack) {
			await stack.exec('app', 'sh', '-c', 'mv /data/dump.rdb /data/aside; mkdir -p /data/dump.rdb/full');
			return async () => {
				await stack.exec('app', 'sh', '-c', 'rm -r /data/dump.rdb; [ ! -e /data/aside ] || mv /data/aside /data/dump.rdb');
				await ask(stack, client, 'SAVE');
			};
		},
		kept: async stack => stack.exec('app', 'sh', '-c', "find /data -name '.*holdfast-*'"),
	};
};

/** It keeps an append-only file, and its password is in its configuration. */
export const valkeyCase = kindCase('valkey', 'valkey', async () => ({
	image: await ensureImage('valkey/valkey:8'),
	entrypoint: [
		'sh',
		'-c',
		`printf '%s\\n' "requirepass \\"$$SECRET\\"" 'enable-debug-command yes' >/tmp/valkey.conf; unset SECRET; exec docker-entrypoint.sh /tmp/valkey.conf --appendonly yes`,
	],
	environment: {SECRET: password.replaceAll('\\', '\\\\').replaceAll('$', '$$$$')},
	labels: {'holdfast.enable': 'true', 'holdfast.valkey': 'true'},
}));

/** It keeps nothing by itself, and its password is a word of a line for a shell. */
export const redisCase = kindCase('redis', 'redis', async () => ({
	image: await ensureImage('redis:7'),
	command: ['sh', '-c', `exec redis-server --save '' --enable-debug-command yes --requirepass "$$(cat /data/secret)"`],
	entrypoint: ['sh', '-c', `printf %s "$$SECRET" >/data/secret; unset SECRET; exec docker-entrypoint.sh "$$@"`, 'sh'],
	environment: {SECRET: password.replaceAll('$', '$$$$')},
	labels: {'holdfast.enable': 'true', 'holdfast.redis': 'true'},
}));
