/** Volumes, SQLite databases and paths in containers: destroyed, restored, compared, while an application writes until it is stopped. Lane: waits. Turns: restore. */

import {buffer} from 'node:stream/consumers';
import test from 'ava';
import {execa} from 'execa';
import {pack} from 'tar-stream';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** Whatever a file system can hold, in /data, but for the database that the application writes there. */
const fill = `
	cd /data; umask 022
	mkdir -p 'odd dir' deep/er/est empty cache "$(printf 'new\\nline')" nested
	echo spaces >'odd dir/ a  b '; echo dash >./-rf; echo 'glob' >'[x]*?'; echo utf >ünïcödé; printf 'raw' >"$(printf 'latin\\351')"
	echo newline >"$(printf 'new\\nline')/f"; echo keep >cache/kept; echo log >audit.log
	ln -s /etc/passwd out; ln -s deep/er inside; ln -s nowhere dangling; ln 'odd dir/ a  b ' hard; echo grows >grown; ln grown deep/grown-too; echo stays >named; ln named named-too
	truncate -s 50M sparse; printf tail >>sparse; mkfifo fifo; mknod device c 7 99
	chmod 4755 ./-rf; chmod 1777 empty; chmod 0600 ünïcödé; chown 1234:4321 deep hard; touch -h -d 2001-02-03T04:05:06.789 out ünïcödé deep
	head -c 3000000 /dev/urandom >random; chown 33:44 /data; chmod 2771 /data; touch -d 1999-09-09 /data`;

const wreck = `
	cd /data; rm -rf deep random 'odd dir' out sparse tagged hard empty dangling inside fifo '[x]*?' ./-rf "$(printf 'latin\\351')" "$(printf 'new\\nline')"; echo other >ünïcödé; chmod 777 ünïcödé; mkdir extra; echo extra >extra/f; echo grown >>audit.log; echo more >>grown; echo more >>named
	ln -s /repository deep; mkdir out; echo mine >cache/mine; chown 0:0 /data; chmod 700 /data`;

/** One line for each file: kind, mode, names, owner, size, time, link, content. Not the database, nor what is excluded. */
const fingerprint = `
	cd /data; stat -c '%a %u:%g' .; find . -mindepth 1 '(' -path './app.db*' -o -path '*/.*.holdfast-*' -o -path ./cache -o -path ./audit.log ')' -prune -o -printf '%p|%y|%m|%n|%U:%G|%s|%T@|%l\\n' | sed 's/^\\(.\\/nested|d|755|\\)[0-9]*/\\1/' | sort
	find . -type f ! -path './app.db*' ! -path '*/.*.holdfast-*' ! -path './cache/*' ! -path ./audit.log -print0 | sort -z | xargs -0 sha256sum
	tar --xattrs --xattrs-include='*' -cf - ./tagged | grep -a -o 'SCHILY.xattr.user.colour=[a-z]*'; du -k sparse | cut -f1`;

/** What a path in a container can hold. The engine carries times in whole seconds, and no extended attributes but file capabilities. */
const fillOwn = `
	mkdir -p /etc/app/sub '/etc/app/odd dir' /etc/app/empty "/etc/app/$(printf 'new\\nline')"; cd /etc/app
	echo setting=1 >sub/conf; chmod 640 sub/conf; chown 12:34 sub/conf 'odd dir'; chmod 1770 empty; echo dash >./-rf; chmod 4755 ./-rf
	echo spaces >'odd dir/ a '; echo utf >ünïcödé; echo f >"$(printf 'new\\nline')/f"; ln -s /etc/passwd out; ln -s nowhere dangling; ln sub/conf hard
	truncate -s 3M sparse; printf tail >>sparse; touch -h -d 2001-02-03T04:05:06 out ünïcödé sub; touch -d 1999-09-09 .`;

const fingerprintOwn = `
	cd /etc/app; find . -printf '%p|%y|%m|%n|%U:%G|%T@|%l\\n' | sed 's/[.][0-9]*|/|/' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`;

/** Beside what the application writes. */
const schema = `create index by_n on entries (n desc); create view latest as select max(n) from entries;
	create trigger kept after delete on entries begin select 1; end; create table "odd ""name" (a blob, b); insert into "odd ""name" values (x'00ff', 1.5)`;

const fingerprintSchema = `select group_concat(sql, char(10)) from (select sql from sqlite_schema order by name); select quote(a), b from "odd ""name"`;

const sh = async (stack: Stack, script: string, service = 'app') => stack.exec(service, 'sh', '-ec', script);

const query = async (stack: Stack, sql: string) => stack.exec('app', 'sqlite3', '-cmd', '.timeout 20000', '/data/app.db', sql);

async function tag(stack: Stack): Promise<void> {
	const archive = pack();
	archive.entry({name: 'tagged', pax: {'SCHILY.xattr.user.colour': 'green'}}, 'tagged');
	archive.finalize();
	await execa('docker', ['exec', '-i', stack.container('app'), 'tar', '--xattrs', '--xattrs-include=*', '-xf', '-', '-C', '/data'], {
		input: await buffer(archive),
	});
}

test('an application with files, a database among them, and a path of its own comes back as it was', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data', 'inner'],
		services: {
			app: {
				image,
				command: ['write-sqlite', '/data/app.db'],
				volumes: ['data:/data', 'inner:/data/nested'],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.sqlite': '/data/app.db',
					'holdfast.volumes': 'true',
					'holdfast.tar': '/etc/app',
					'holdfast.exclude': 'cache,audit.log',
				},
			},
			reader: {image, command: ['sleep', 'infinity'], init: true, volumes: ['data:/data']},
			stopped: {image, command: ['sleep', 'infinity'], volumes: ['data:/data']},
			bystander: {image, command: ['sleep', 'infinity'], init: true},
		},
	});
	await stack.compose('stop', '--timeout', '0', 'stopped');
	await until('the application writes', () => query(stack, 'select count(*) from entries'));
	await sh(stack, `${fillOwn}; echo inner >/data/nested/f; chown 56:78 /data/app.db; chmod 640 /data/app.db`);
	await query(stack, schema);
	await tag(stack);
	await sh(stack, fill);
	const before = await sh(stack, fingerprint);
	const ownBefore = await sh(stack, fingerprintOwn);
	const schemaBefore = await query(stack, fingerprintSchema);
	const [backup] = await stack.backup(`${stack.project}/app`);
	t.is(backup?.outcome, 'success', backup?.error);
	const rowsAtBackup = Number(await query(stack, 'select count(*) from entries'));

	await sh(stack, wreck);
	await sh(
		stack,
		'cd /etc/app; echo setting=2 >hard; chmod 777 sub; rm -r -- -rf empty out odd*; mkdir out; echo changed >ünïcödé; rm /data/nested/f; echo more >/etc/app/more',
	);
	await query(stack, 'drop trigger kept; drop view latest; drop index by_n; drop table "odd ""name"; delete from entries where n % 2');
	const sequence = Number(await query(stack, 'select total from counter'));
	const result = await stack.restore(`${stack.project}/app`);
	t.is(result.outcome, 'success', result.error);
	t.true(result.outageSeconds > 0);
	t.deepEqual(
		result.replaced.map(name => name.split(':').slice(0, 2).join(':')),
		['volume:/data', 'volume:/data/nested', 'tar:/etc/app', 'sqlite:/data/app.db'],
	);

	t.is(await sh(stack, fingerprint), before);
	t.is(await sh(stack, 'cat /data/cache/kept /data/cache/mine /data/audit.log /data/nested/f'), 'keep\nmine\nlog\ngrown\ninner');
	t.is(await sh(stack, 'cat /etc/app/more; rm /etc/app/more; touch -d 1999-09-09 /etc/app'), 'more');
	t.is(await sh(stack, fingerprintOwn), ownBefore);
	t.is(await query(stack, fingerprintSchema), schemaBefore);
	t.is(await sh(stack, 'stat -c "%a %u:%g" /data/app.db'), '640 56:78');
	const [count = 0, max = 0, total = 0] = (
		await query(stack, 'begin; select count(*), max(n), (select total from counter) from entries; commit')
	)
		.split('|')
		.map(Number);
	t.is(count, max);
	t.is(count, total);
	t.true(count < sequence + 10_000 && count > 0, `${count} rows, ${rowsAtBackup} at the backup`);
	t.is(await query(stack, 'pragma integrity_check'), 'ok');
	const old = (await sh(stack, 'ls -A /data | grep holdfast-before')).split('\n')[0] ?? '';
	const kept = await stack.exec('reader', 'sqlite3', `/data/${old}`, 'select count(*), max(n) from entries');
	t.true(Number(kept.split('|')[1]) >= sequence, 'what was replaced is whole, with its write-ahead log');

	t.is(await stack.state('app'), 'running');
	t.is(await stack.state('reader'), 'running');
	t.is(await stack.state('stopped'), 'exited');
	t.is(await docker(['inspect', '--format', '{{.RestartCount}}', stack.container('bystander')]), '0');
	const [second] = await stack.backup(`${stack.project}/app`);
	t.is(second?.outcome, 'success', second?.error);
	const listed = await stack.restic('ls', second?.sources.find(({source}) => source === 'volume:/data')?.snapshot ?? '');
	t.false(listed.includes('holdfast-before'), 'what is kept aside is not backed up');
});
