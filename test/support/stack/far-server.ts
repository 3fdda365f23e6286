/** A server that Holdfast reaches over the network, an application that writes to it, and the folder of its secrets. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {TargetView} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../images.ts';
import {type Stack, startStack} from '../stack.ts';
import {makeKeyCheap} from './cheap-key.ts';

export const password = 'hunter2 of the "database"';

export const server = async (image: string, rest: Record<string, unknown> = {}) => ({
	image: await ensureImage(image),
	environment: {POSTGRES_PASSWORD: password, POSTGRES_DB: 'shop'},
	...rest,
});

export const labels = (host: string, more: Record<string, string> = {}) => ({
	'holdfast.enable': 'true',
	'holdfast.postgres': 'true',
	'holdfast.postgres.host': host,
	'holdfast.postgres.password-secret': 'database',
	...more,
});

/** Commits rows all the time, in a server that it only knows by name. */
export const application = async (more: Record<string, string>) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['bash', '-c'],
	command: [
		'until psql -qc "create table if not exists orders (id bigserial primary key)"; do sleep 0.2; done; while :; do psql -qc "insert into orders default values"; sleep 0.1; done',
	],
	environment: {PGHOST: 'db', PGUSER: 'postgres', PGPASSWORD: password, PGDATABASE: 'shop'},
	labels: labels('db', more),
});

export const idle = async (more: Record<string, string>) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['sleep', 'infinity'],
	labels: more,
});

export const psql = async (stack: Stack, sql: string, database = 'shop', service = 'db') =>
	stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', sql);

export const json = async <Value>(stack: Stack, ...args: string[]): Promise<Value> => {
	const {stdout, stderr} = await stack.holdfast(...args, '--json');
	if (stdout === '') {
		throw new Error(`holdfast ${args.join(' ')}: ${stderr}`);
	}

	return JSON.parse(stdout) as Value;
};

export const problemsOf = async (stack: Stack, service: string): Promise<string> => {
	const targets = await json<TargetView[]>(stack, 'targets');
	return JSON.stringify(targets.find(({target}) => target === `${stack.project}/${service}`)?.problems);
};

/** With a folder of the host as `/run/secrets`. */
export async function startWithSecrets(t: Parameters<typeof startStack>[0], services: Record<string, Record<string, unknown>>) {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
	const stack = await startStack(t, {
		services,
		holdfast: {
			volumes: [
				'/var/run/docker.sock:/var/run/docker.sock',
				'hf-repository:/repository',
				'hf-state:/state',
				'hf-cache:/cache',
				`${folder}:/run/secrets:ro`,
			],
		},
	});
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await makeKeyCheap(stack.container('holdfast'));
	return {stack, secret: (name: string) => join(folder, `${stack.project}.${name}`)};
}
