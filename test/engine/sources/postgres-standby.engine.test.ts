/** A standby is dumped; where it ends the dump for the sake of what it replays, the way out is said. Lane: waits. Turns: postgres. */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const follow = `until [ -s "$PGDATA/PG_VERSION" ]; do pg_basebackup -h db -U postgres -D "$PGDATA" -R -X stream -c fast || sleep 1; done
chmod 700 "$PGDATA"; exec postgres -c max_standby_streaming_delay=500ms`;

/** After the moment and before the dump, and only where the test asks for it. */
const overtake = `[ ! -e /tmp/overtake ] || { psql -h db -U postgres -d shop -c 'delete from orders where n > 5' -c 'vacuum orders'
until psql -d shop -XAtc 'select count(*) from orders' | grep -qx 5; do sleep 0.2; done; }`;

test('a standby is dumped; one that ends the dump says how that is avoided', async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('postgres:17');
	const environment = {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop', POSTGRES_HOST_AUTH_METHOD: 'trust'};
	const stack = await startStack(t, {
		services: {
			db: {image, environment},
			standby: {
				image,
				user: 'postgres',
				command: ['bash', '-c', follow.replaceAll('$', () => '$$')],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.postgres': 'shop',
					'holdfast.after': JSON.stringify(['sh', '-c', overtake]),
					'holdfast.after.timeout': '60s',
				},
			},
		},
	});
	const psql = async (service: string, sql: string) =>
		stack.exec(service, 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'shop', '-c', sql);
	await until('the database answers', async () => psql('db', 'select 1'), {timeout: 60_000});
	await psql('db', 'create table orders as select n from generate_series(1, 1000) n; create unlogged table passing as select 1 n');
	await stack.exec('db', 'sh', '-c', 'echo "host replication all all trust" >>"$PGDATA/pg_hba.conf"');
	await psql('db', 'select pg_reload_conf()');
	await until('the standby follows', async () => (await psql('standby', 'select count(*) from orders')) === '1000', {timeout: 120_000});
	const target = `${stack.project}/standby`;

	const [first] = (await stack.backup(target)) as [BackupResult];
	t.is(first.outcome, 'success', first.error);
	const refused = await stack.holdfast('restore', target, '--dry-run');
	t.not(refused.exitCode, 0);
	t.regex(refused.stdout + refused.stderr, /is a standby, which only follows another/);

	await stack.exec('standby', 'touch', '/tmp/overtake');
	const [second] = (await stack.backup(target)) as [BackupResult];
	t.is(second.outcome, 'failed');
	t.regex(second.error ?? '', /the server is a standby, and the dump was in the way of what it replays: .*`hot_standby_feedback = on`/s);
});
