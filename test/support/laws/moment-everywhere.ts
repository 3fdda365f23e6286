/** One group of MariaDB, Valkey, PostgreSQL, SQLite and files under an application that writes the same number everywhere: of one moment in each point. */
import type {ExecutionContext} from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../images.ts';
import {type Stack, startStack} from '../stack.ts';
import {until} from '../until.ts';
import {backUp, plainRestic, snapshotOf} from './moment.ts';

const member = {'holdfast.enable': 'true', 'holdfast.group': 'shop'};

async function start(t: Parameters<typeof startStack>[0]): Promise<Stack> {
	const stack = await startStack(t, {
		services: {
			maria: {
				image: await ensureImage('mariadb:11.8'),
				environment: {MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: '1', MARIADB_DATABASE: 'shop'},
				volumes: ['maria:/var/lib/mysql'],
				healthcheck: {
					test: ['CMD', 'mariadb', '-h127.0.0.1', '-uroot', '--skip-ssl', '-e', 'select 1', 'shop'],
					interval: '1s',
					retries: 90,
				},
				labels: {...member, 'holdfast.mariadb': 'shop'},
			},
			cache: {
				image: await ensureImage('valkey/valkey:8'),
				command: ['valkey-server', '--save', '60 1', '--appendonly', 'yes'],
				volumes: ['cache:/data'],
				labels: {...member, 'holdfast.valkey': 'true'},
			},
			db: {
				image: await ensureImage('postgres:17'),
				environment: {POSTGRES_PASSWORD: 'shop', POSTGRES_DB: 'shop'},
				volumes: ['pgdata:/var/lib/postgresql/data'],
				healthcheck: {test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres'], interval: '1s', retries: 90},
				labels: {...member, 'holdfast.postgres': 'shop', 'holdfast.postgres.format': 'plain'},
			},
			app: {
				image: await ensureImage('holdfast-test/everywhere:latest'),
				init: true,
				environment: {PGHOST: 'db', PGUSER: 'postgres', PGPASSWORD: 'shop', PGDATABASE: 'shop'},
				volumes: ['data:/data'],
				depends_on: {maria: {condition: 'service_healthy'}, db: {condition: 'service_healthy'}, cache: {condition: 'service_started'}},
				labels: {...member, 'holdfast.sqlite': '/data/app.db', 'holdfast.volumes': '/data'},
			},
		},
		volumes: ['maria', 'cache', 'pgdata', 'data'],
	});
	await until('the application writes', async () => Number(await stack.exec('app', 'cat', '/data/files/n')) > 10, {timeout: 120_000});
	return stack;
}

/** The number that each source of a point has, by plain restic. */
async function numbersIn(stack: Stack, result: BackupResult): Promise<Record<string, number>> {
	const path = (source: string) => `/${stack.project}/shop/${source}`;
	const read = async (source: string, file: string, pattern: RegExp) =>
		Number(pattern.exec(await stack.restic('dump', snapshotOf(result, source), path(file)))?.[1]);
	const rows = `new (require('node:sqlite').DatabaseSync)('/tmp/point.db').prepare('select n from t').get().n`;
	const sqlite = await stack.exec(
		'holdfast',
		'sh',
		'-ec',
		`${plainRestic} dump -- "$1" "$2" >/tmp/point.db; node --disable-warning=ExperimentalWarning -p "$3"`,
		'sh',
		snapshotOf(result, 'app/sqlite:/data/app.db'),
		path('app/sqlite/data/app.db'),
		rows,
	);
	return {
		mariadb: await read('maria/mariadb:shop', 'maria/mariadb/shop', /INSERT INTO `t` VALUES\s*\((\d+)\)/),
		valkey: await read('cache/valkey:all', 'cache/valkey/all', /n=(\d{8})/),
		postgres: await read('db/postgres:shop', 'db/postgres/shop', /COPY public\.t \(n\) FROM stdin;\n(\d+)\n/),
		sqlite: Number(sqlite),
		file: await read('app/volume:/data', 'app/volume/data/files/n', /^(\d+)$/),
	};
}

/** In each of so many points the numbers differ by at most one. */
export async function momentEverywhere(t: ExecutionContext, points: number): Promise<void> {
	t.timeout(14 * 60_000);
	const stack = await start(t);
	let last = 0;
	for (let point = 0; point < points; point++) {
		const {result} = await backUp(t, stack, 'shop');
		t.deepEqual(result.warnings ?? [], []);
		const numbers = await numbersIn(stack, result);
		const all = Object.values(numbers);
		t.true(all.every(Number.isFinite), JSON.stringify(numbers));
		t.true(Math.max(...all) - Math.min(...all) <= 1, `point ${point}: ${JSON.stringify(numbers)}`);
		t.true(Math.min(...all) > last, 'the application writes on');
		last = Math.max(...all);
		t.log(`${JSON.stringify(numbers)}, outage ${result.quiesceSeconds.toFixed(2)} s`);
	}
}
