/** The runbook of docs/systems/immich.md, followed word for word while photos arrive: each row has its photo afterwards, and the search its vectors. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {openRunbook} from '../../support/stack/runbook.ts';
import {hardlyEver} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** As Immich: refuses to start where it was before and a folder is not what it was; writes a photo, then its row with a vector, then a thumbnail. */
const api = `cd /data; export PGPASSWORD=$DB_PASSWORD
sql() { psql -X -At -v ON_ERROR_STOP=1 -h database -U "$DB_USERNAME" -d "$DB_DATABASE_NAME" -c "$1"; }
until sql 'select 1' >/dev/null 2>&1; do sleep 0.2; done
sql 'create extension if not exists vector; create table if not exists asset (n int primary key, embedding vector(3)); create index if not exists clip_index on asset using hnsw (embedding vector_l2_ops)' >/dev/null || exit
for folder in library thumbs encoded-video; do
	[ -e $folder/.immich ] || [ "$(sql 'select count(*) from asset')" = 0 ] || { echo "Failed to read $folder/.immich"; exit 1; }
	mkdir -p $folder/admin; touch $folder/.immich
done
n=$(sql 'select coalesce(max(n), 0) from asset')
while :; do
	n=$((n + 1))
	echo $n >library/admin/$n.jpg && sql "insert into asset values ($n, '[1,2,$n]')" >/dev/null && echo made again >thumbs/admin/$n.webp || exit
	sleep 0.05
done`;

const microservices = 'while :; do date >/data/library/encoded; sleep 0.2; done';

const escaped = (text: string): string => text.replaceAll('$', '$$$$');

test('Immich', async t => {
	t.timeout(12 * 60_000);
	const app = {image: await ensureImage('holdfast-test/app:latest'), init: true, entrypoint: ['bash', '-c']};
	const {compose, follow} = await openRunbook(t, 'immich', {
		services: {
			'immich-server': {...app, command: [escaped(api)], ports: []},
			'immich-microservices': {...app, command: [`mkdir -p /data/library; ${microservices}`]},
			'immich-machine-learning': {...app, command: ['sleep infinity']},
			redis: {image: await ensureImage('valkey/valkey:8')},
			database: {
				image: await ensureImage('holdfast-test/extended:pg17'),
				healthcheck: {test: 'pg_isready -h 127.0.0.1 -U $$POSTGRES_USER', interval: '1s', retries: 60},
			},
			holdfast: {image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev', environment: {HOLDFAST_PROJECTS: 'immich', ...hardlyEver}},
		},
	});
	const sql = async (query: string) =>
		(await compose('exec', '-T', 'database', 'psql', '-X', '-At', '-U', 'postgres', '-d', 'immich', '-c', query)).trim();
	const rows = async () => Number(await sql('select count(*) from asset'));
	const shell = async (script: string) => compose('exec', '-T', 'immich-microservices', 'sh', '-c', script);

	const planned = await follow('Back up');
	t.regex(planned, /immich_microservices/, 'who writes to the same folder stands still, too');
	const before = await until('some photos', async () => {
		const count = await rows();
		return count > 30 && count;
	});
	await compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'immich/immich');

	await follow('When the data is lost');
	// A photo is written before its row.
	const count = await rows();
	const photos = Number(await shell('ls /data/library/admin | wc -l'));
	t.true(count >= before);
	t.true(photos >= count, `${photos} photos, ${count} rows`);
	t.true(photos <= (await rows()) + 1);
	t.is(
		await sql("set enable_seqscan = off; select n from asset order by embedding <-> '[1,2,7]' limit 1").then(said =>
			said.split('\n').at(-1),
		),
		'7',
	);
	t.is((await shell('cat /data/thumbs/.immich /data/library/.immich && echo started')).trim(), 'started');
	await t.throwsAsync(compose('exec', '-T', 'holdfast', 'holdfast', 'find', '*.webp', '--target', 'immich/immich'), undefined, 'left out');
	await until('it goes on', async () => (await rows()) > count);
	t.regex(await compose('exec', '-T', 'holdfast', 'holdfast', 'doctor'), /ok/);
});
