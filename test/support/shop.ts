/** A target with one source of each kind, each of which holds one word: so that it is told at a glance which data is live, and whether all of it is. */
import {randomBytes} from 'node:crypto';
import type {ExecutionContext} from 'ava';
import {ensureImage} from './images.ts';
import type {SecondEngine} from './machine/second-engine.ts';
import {type Service, type Stack, startStack} from './stack.ts';
import {until} from './until.ts';

export interface Shop {
	stack: Stack;
	/** The group of all sources. */
	target: string;
	/** The role of the database: no other test's processes carry this name. */
	role: string;
	psql: (sql: string) => Promise<string>;
	/** Puts one word into all four places. */
	write: (word: string) => Promise<void>;
	/** The words of the four places, and the name of the one file that says so. */
	read: () => Promise<string>;
	/** What a restore made or keeps beside the live data: databases and files. */
	kept: () => Promise<string[]>;
}

/** What `read` says when all is of one. */
export const allOf = (word: string): string => `${word} ${word} ${word} ${word} only-${word}`;

interface ShopOptions {
	engine?: SecondEngine;
	holdfast?: Service & {environment?: Record<string, string>};
	/** Further services; those that are named so are paused and stopped before the test. */
	services?: Record<string, Service>;
	/** Added to the database and the application. */
	common?: Service;
	/** Of the volume: with a range in it, it is written in place. */
	exclude?: string | undefined;
}

export async function startShop(
	t: Pick<ExecutionContext, 'teardown'>,
	{engine, holdfast = {}, services = {}, common = {}, exclude}: ShopOptions = {},
): Promise<Shop> {
	const [postgres, image] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	await engine?.load([postgres, image, process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev']);
	const role = `shop_${randomBytes(4).toString('hex')}`;
	const enabled = {'holdfast.enable': 'true', 'holdfast.group': 'shop'};
	const stack = await startStack(t, {
		volumes: ['data'],
		...(engine && {engine}),
		holdfast,
		services: {
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_USER: role, POSTGRES_DB: 'app'},
				labels: {...enabled, 'holdfast.postgres': 'app'},
				...common,
			},
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				// It ends at once; and what a dead agent asked for is waited for no longer than that.
				stop_grace_period: '1s',
				depends_on: ['db'],
				volumes: ['data:/data'],
				labels: {
					...enabled,
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.tar': '/etc/app',
					...(exclude === undefined ? {} : {'holdfast.exclude': exclude}),
				},
				...common,
			},
			...services,
		},
	});
	const psql = async (sql: string) =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', role, '-d', 'app', '-c', sql);
	await until('the database answers', async () => psql('select 1'), {timeout: 60_000});
	return {
		stack,
		target: `${stack.project}/shop`,
		role,
		psql,
		async write(word) {
			await psql(`drop table if exists word; create table word as select '${word}' as word`);
			const sqlite = `sqlite3 /data/app.db "pragma journal_mode=wal; drop table if exists word; create table word as select '${word}' as word" >/dev/null`;
			const files = `mkdir -p /etc/app; echo ${word} >/etc/app/word; echo ${word} >/data/word; ${sqlite}; rm -f /data/only-*; : >/data/only-${word}`;
			await stack.exec('app', 'sh', '-ec', files);
		},
		async read() {
			const files = 'cat /etc/app/word /data/word; sqlite3 /data/app.db "select word from word"; ls /data | grep only-';
			return (await Promise.all([psql('select word from word'), stack.exec('app', 'sh', '-ec', files)])).join(' ').replaceAll('\n', ' ');
		},
		async kept() {
			const databases = await psql(`select datname from pg_database where datname ~ '_(restore|before)_'`);
			const files = await stack.exec('app', 'sh', '-c', 'ls -A /data | grep holdfast- || true');
			return [...databases.split('\n'), ...files.split('\n')].filter(Boolean);
		},
	};
}
