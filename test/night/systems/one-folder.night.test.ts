/** The runbooks of docs/systems/paperless.md and vaultwarden.md, followed word for word while their applications write: each row of SQLite has its file afterwards. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {openRunbook, type Runbook} from '../../support/stack/runbook.ts';
import {hardlyEver} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Writes a file, then its row; `file` makes its name of `$n`. */
const application = (folder: string, database: string, file: string): string => `cd ${folder}; umask 077
[ -e rsa_key.pem ] || echo "key of this installation" >rsa_key.pem
n=0; mkdir -p icon_cache "$(dirname "${file}")"
sql() { sqlite3 -cmd '.timeout 5000' ${database} "$1"; }
sql 'pragma journal_mode = wal; create table if not exists item (n integer primary key)' >/dev/null
n=$(sql 'select coalesce(max(n), 0) from item')
while :; do
	n=$((n + 1))
	echo $n >"${file}" && sql "insert into item values ($n)" && echo made again >icon_cache/$n || exit
	sleep 0.05
done`;

const escaped = (text: string): string => text.replaceAll('$', '$$$$');

const app = async (script: string) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['bash', '-c'],
	command: [escaped(script)],
});

const holdfast = (page: string) => ({
	image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
	environment: {HOLDFAST_PROJECTS: page, ...hardlyEver},
});

const shellIn =
	({compose}: Runbook, service: string) =>
	async (command: string): Promise<string> =>
		(await compose('exec', '-T', service, 'sh', '-c', command)).trim();

const paperless = '/usr/src/paperless';

test.serial('Paperless-ngx', async t => {
	t.timeout(10 * 60_000);
	const runbook = await openRunbook(t, 'paperless', {
		services: {
			broker: {image: await ensureImage('redis:7')},
			webserver: await app(application(paperless, 'data/db.sqlite3', 'media/documents/originals/$(printf %07d $n).pdf')),
			holdfast: holdfast('paperless'),
		},
	});
	const {compose, follow} = runbook;
	const shell = shellIn(runbook, 'webserver');
	const rows = async () => Number(await shell(`sqlite3 ${paperless}/data/db.sqlite3 'select count(*) from item'`));

	await follow('Back up');
	const before = await until('some documents', async () => {
		const count = await rows();
		return count > 20 && count;
	});
	await shell(`echo next >${paperless}/consume/next.pdf`);
	await compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'paperless/webserver');

	const original = `${paperless}/media/documents/originals/0000001.pdf`;
	await shell(`rm ${original}`);
	await follow('When a document is gone');
	t.is(await shell(`cat ${original}`), '1');

	await follow('When the data is lost');
	const whole = await shell(
		`cd ${paperless} && count=$(sqlite3 data/db.sqlite3 'select count(*) from item') && for n in $(seq $count); do cat media/documents/originals/$(printf %07d $n).pdf; done | sort -n | tail -1 && echo $count && cat consume/next.pdf`,
	);
	const [last, count, next] = whole.split('\n');
	t.is(last, count);
	t.true(Number(count) >= before);
	t.is(next, 'next');
});

test.serial('Vaultwarden', async t => {
	t.timeout(10 * 60_000);
	const runbook = await openRunbook(t, 'vaultwarden', {
		services: {vaultwarden: await app(application('/data', 'db.sqlite3', 'attachments/$n')), holdfast: holdfast('vaultwarden')},
	});
	const {compose, follow} = runbook;
	const shell = shellIn(runbook, 'vaultwarden');
	const rows = async () => Number(await shell("sqlite3 /data/db.sqlite3 'select count(*) from item'"));

	await follow('Back up');
	const before = await until('some items', async () => {
		const count = await rows();
		return count > 20 && count;
	});
	await shell('echo "key that logged people in" >/data/rsa_key.pem');
	await compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'vaultwarden/vaultwarden');
	const owners = await shell('stat -c "%u:%g %a" /data/rsa_key.pem /data/db.sqlite3 /data/attachments /data/attachments/1');

	await follow('When the data is lost');
	t.is(await shell('cat /data/rsa_key.pem'), 'key that logged people in');
	t.is(await shell('stat -c "%u:%g %a" /data/rsa_key.pem /data/db.sqlite3 /data/attachments /data/attachments/1'), owners);
	const [last, count] = (
		await shell(
			'count=$(sqlite3 /data/db.sqlite3 "select count(*) from item") && for n in $(seq $count); do cat /data/attachments/$n; done | tail -1 && echo $count',
		)
	).split('\n');
	t.is(last, count);
	t.true(Number(count) >= before);
	const kept = await compose('exec', '-T', 'holdfast', 'holdfast', 'ls', 'vaultwarden/vaultwarden', '/data');
	t.regex(kept, /rsa_key\.pem/);
	t.notRegex(kept, /icon_cache/);
	await until('it goes on', async () => (await rows()) > Number(count));
});
