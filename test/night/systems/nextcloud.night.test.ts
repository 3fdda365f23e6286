/** The runbook of docs/systems/nextcloud.md, followed word for word while the application writes: rows, files and keys fit each other afterwards. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {openRunbook} from '../../support/stack/runbook.ts';
import {hardlyEver} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** As `occ`, as far as the page needs it. */
const php = `#!/bin/sh
[ "$1 $2 $(id -un)" = 'occ maintenance:mode www-data' ] || exit 1
[ "$3" = --on ] && to=true || to=false
echo "'maintenance' => $to," >/var/www/html/config/config.php`;

/** Adds a row, then its file, then a key, while it is not in maintenance mode. */
const application = `cd /var/www/html; mkdir -p data/files data/appdata_1/preview; echo made again >data/appdata_1/preview/p
[ -s config/config.php ] || echo "'maintenance' => false," >config/config.php
chown -R www-data config
exec 3<>/dev/tcp/cache/6379; echo "AUTH $REDIS_HOST_PASSWORD" >&3; read -r _ <&3
sql() { mariadb --skip-ssl -h db -u nextcloud -p"$MYSQL_PASSWORD" -BN nextcloud -e "$1"; }
sql 'create table if not exists oc_filecache (n int primary key)'
n=$(sql 'select coalesce(max(n), 0) from oc_filecache')
while :; do
	if grep -q true config/config.php; then sleep 0.1; continue; fi
	n=$((n + 1))
	sql "insert into oc_filecache values ($n)" && echo $n >data/files/$n && echo "RPUSH files $n" >&3 && read -r _ <&3 || exit
	sleep 0.05
done`;

const escaped = (text: string): string => text.replaceAll('$', '$$$$');

test('Nextcloud', async t => {
	t.timeout(12 * 60_000);
	const image = await ensureImage('holdfast-test/everywhere:latest');
	const runbook = await openRunbook(t, 'nextcloud', {
		services: {
			db: {
				image: await ensureImage('mariadb:11.8'),
				healthcheck: {test: ['CMD', 'mariadb', '-h127.0.0.1', '-unextcloud', '-pchange-me', '--skip-ssl', '-eselect 1', 'nextcloud']},
			},
			cache: {image: await ensureImage('valkey/valkey:8')},
			app: {
				image,
				init: true,
				entrypoint: ['bash', '-c'],
				command: [escaped(application)],
				working_dir: '/var/www/html',
				configs: [{source: 'php', target: '/usr/local/bin/php', mode: 0o755}],
			},
			cron: {image, init: true, entrypoint: ['sleep', 'infinity']},
			holdfast: {
				image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
				environment: {HOLDFAST_PROJECTS: 'nextcloud', ...hardlyEver},
				read_only: true,
				cap_drop: ['ALL'],
				tmpfs: ['/tmp'],
			},
		},
		configs: {php: {content: escaped(php)}},
	});
	const {compose, follow} = runbook;
	const rows = async () =>
		Number(await compose('exec', '-T', 'db', 'mariadb', '-uroot', '-pchange-me', '-BNe', 'select count(*) from nextcloud.oc_filecache'));
	const isOff = async () => (await compose('exec', '-T', 'app', 'cat', '/var/www/html/config/config.php')).includes('false');

	const planned = await follow('Back up');
	t.regex(planned, /cron/, 'who writes to the same volumes stands still, too');
	const before = await until('some files', async () => {
		const count = await rows();
		return count > 30 && count;
	});
	await compose('exec', '-T', 'holdfast', 'holdfast', 'backup', 'nextcloud/cloud');
	t.true(await isOff(), 'after a backup people are let in');

	await follow('When the data is lost');
	t.true(await isOff());
	await compose('pause', 'app');
	const found = {
		rows: await rows(),
		files: Number(await compose('exec', '-T', 'cron', 'sh', '-c', 'ls /var/www/html/data/files | wc -l')),
		keys: Number(await compose('exec', '-T', '--env', 'REDISCLI_AUTH=change-me', 'cache', 'valkey-cli', 'llen', 'files')),
	};
	await compose('unpause', 'app');
	const all = Object.values(found);
	t.true(Math.min(...all) >= before, JSON.stringify(found));
	t.true(Math.max(...all) - Math.min(...all) <= 1, JSON.stringify(found));
	await until('the application goes on', async () => (await rows()) > found.rows);
});
