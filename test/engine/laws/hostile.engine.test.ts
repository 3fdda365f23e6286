/** Names and labels that would do harm where somebody took them for more than names: the rest of the stack is backed up all the same. Lane: waits. */
import test, {type ExecutionContext} from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {TargetView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {plainReader, put, type Reader, readerService} from '../../support/stack/reader.ts';
import {treeOf} from '../../support/stack/tree.ts';
import {type Service, type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const databases = [
	`quo'te "double" \\ back`,
	' spaces ',
	'new\nline\ttab',
	'; drop table whose; $(touch /tmp/pwned) `touch /tmp/pwned`',
	'--help',
	'host=evil dbname=x',
	'postgresql://evil/x',
	'a,b [c]*? 100%',
	'../up/..%2F',
	'..',
];

const file = `--it's "x"; $(touch pwned)\nline`;

/** Answers nobody, and says when somebody came. */
const trap = "require('net').createServer(s => { console.log('dialled'); s.destroy(); }).listen(5432, () => console.log('listening'))";

const enable = {'holdfast.enable': 'true'};

/** Compose replaces what begins with a dollar. */
const asWritten = (text: string) => text.replaceAll('$', () => '$$');

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Each bad target: its labels, and what it must be told. */
const mistakes: Record<string, {labels: Record<string, string>; told: RegExp; command?: string}> = {
	missing: {labels: {'holdfast.sqlite': '/data/missing.db'}, told: /`holdfast\.sqlite` names "\/data\/missing\.db", which does not exist/},
	outside: {labels: {'holdfast.sqlite': '/srv/app.db'}, told: /"\/srv\/app\.db" is outside every mount/},
	leaving: {
		labels: {'holdfast.sqlite': '/data/link.db'},
		command: 'ln -sf /etc/passwd /data/link.db',
		told: /`\/data\/link\.db` is a link that leads out of its mount/,
	},
	below: {
		labels: {'holdfast.sqlite': '/data/folder/passwd'},
		command: 'ln -sfn /etc /data/folder',
		told: /`\/data\/folder\/passwd` is a link that leads out of its mount/,
	},
	typo: {labels: {'holdfast.volume': 'true'}, told: /"holdfast\.volume".*`holdfast\.volumes`/},
	cron: {labels: {'holdfast.schedule': 'every day at 3'}, told: /`holdfast\.schedule` .*"every day at 3"/},
	foreign: {
		labels: {'holdfast.quiesce.with': 'victim'},
		told: /`holdfast\.quiesce\.with` must name services of the same project, got "victim"/,
	},
	shell: {labels: {'holdfast.before': 'touch /data/pwned && touch /data/pwned'}, told: /`holdfast\.before` is run without a shell/},
};

/** Everything about the containers that a run must leave as it is. */
const lives = async (names: readonly string[]): Promise<string> =>
	docker(['inspect', '--format', '{{.Name}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}', ...names]);

const idle = (image: string, prepare: string): Service => ({
	image,
	command: ['sh', '-c', `${prepare}; exec sleep infinity`],
	init: true,
});

const startVictim = async (t: ExecutionContext, image: string, stack: string): Promise<string> => {
	const name = `${stack}-victim`;
	const labels = ['com.docker.compose.project=another', 'com.docker.compose.service=victim', `holdfast-test=${stack}`];
	t.teardown(() => docker(['rm', '--force', name]));
	await docker(['run', '--detach', '--init', '--name', name, ...labels.flatMap(label => ['--label', label]), image, 'sleep', 'infinity']);
	return name;
};

test('hostile names are only names, and a mistake in one target is the business of that target', async t => {
	t.timeout(15 * 60_000);
	const [app, postgres] = await Promise.all([ensureImage('holdfast-test/app:latest'), ensureImage('postgres:17')]);
	const wrong = Object.entries(mistakes).map(([name, {labels, command}]): [string, Service] => [
		name,
		{...idle(app, command ?? 'true'), volumes: [`${name}:/data`], labels: {...enable, ...labels}},
	]);
	const stack = await startStack(t, {
		services: {
			reader: readerService(),
			evil: {image: app, command: ['node', '-e', trap]},
			db: {image: postgres, environment: {POSTGRES_PASSWORD: 'secret'}, labels: {...enable, 'holdfast.postgres': 'true'}},
			files: {
				...idle(
					app,
					asWritten(
						'mkdir -p "/srv/$NAME" && echo tar >"/srv/$NAME/$NAME" && echo file >"/data/$NAME" && sqlite3 /data/real.db "create table t (x); insert into t values (42)" && cp /data/real.db "/data/$NAME.db" && ln -sf real.db /data/inner.db',
					),
				),
				environment: {NAME: asWritten(file)},
				volumes: ['files:/data'],
				labels: {
					...enable,
					'holdfast.sqlite': asWritten(JSON.stringify([`/data/${file}.db`, '/data/inner.db'])),
					'holdfast.tar': asWritten(JSON.stringify([`/srv/${file}`])),
					'holdfast.volumes': 'true',
					'holdfast.before': asWritten('touch "/data/$(touch pwned)" /data/first; /data/|'),
				},
			},
			...Object.fromEntries(wrong),
		},
		volumes: ['files', ...wrong.map(([name]) => name)],
	});
	const victim = await startVictim(t, app, stack.project);
	const reader = plainReader(stack);
	await until('the database is ready', async () => psql(stack, 'postgres', 'select 1'), {timeout: 60_000});
	for (const name of databases) {
		await psql(stack, 'postgres', `create database ${identifier(name)}`);
		await psql(stack, name, `create table whose as select ${literal(name)} as name`);
	}

	await until('the files are there', async () => stack.exec('files', 'test', '-L', '/data/inner.db').then(() => true));
	const containers = [...['evil', 'db', 'files', ...Object.keys(mistakes)].map(stack.container), victim];
	const before = await lives(containers);

	const {exitCode, stdout} = await stack.holdfast('backup', '--all', '--json');
	t.is(exitCode, 1);
	const results = stdout
		.split('\n')
		.filter(Boolean)
		.map(line => JSON.parse(line) as BackupResult);
	t.deepEqual(
		results.map(({target}) => target).sort(),
		['db', 'files', ...Object.keys(mistakes)].map(name => `${stack.project}/${name}`).sort(),
	);
	const ofTarget = (name: string) => results.find(({target}) => target === `${stack.project}/${name}`);
	for (const [name, {told}] of Object.entries(mistakes)) {
		const result = ofTarget(name);
		t.deepEqual([result?.outcome, result?.point], ['failed', null], name);
		t.regex(result?.error ?? '', told, name);
	}

	for (const name of ['db', 'files']) {
		t.is(ofTarget(name)?.outcome, 'success', ofTarget(name)?.error);
	}

	t.is(await lives(containers), before, 'nothing was started, stopped or left paused');
	await checkTargets(t, stack);
	await checkNothingWritten(t, stack, reader);
	await checkDatabases(t, stack, reader);
	await checkFiles(t, stack, reader, ofTarget('files')?.run ?? '');
	await checkTrap(t, stack);
});

const psql = async (stack: Stack, database: string, sql: string) =>
	stack.exec(
		'db',
		'psql',
		'-X',
		'-A',
		'-t',
		'-q',
		'-v',
		'ON_ERROR_STOP=1',
		'-U',
		'postgres',
		'-c',
		sql,
		'-d',
		`dbname='${database.replace(/[\\']/g, '\\$&')}'`,
	);

/** Mistakes in labels are told before anything runs; where a link leads is known only to a run. */
const checkTargets = async (t: ExecutionContext, stack: Stack) => {
	const {stdout} = await stack.holdfast('targets', '--json');
	const targets = JSON.parse(stdout) as TargetView[];
	for (const [name, {told}] of Object.entries(mistakes)) {
		const found = targets.find(({target}) => target === `${stack.project}/${name}`);
		const problems = (found?.problems ?? []).map(({message, hint}) => `${message} ${hint ?? ''}`);
		if (['leaving', 'below'].includes(name)) {
			t.deepEqual(problems, []);
		} else {
			t.is(problems.length, 1, name);
			t.regex(problems[0] ?? '', told);
		}
	}
};

const checkNothingWritten = async (t: ExecutionContext, stack: Stack, reader: Reader) => {
	const targets = (await reader.snapshots()).flatMap(({tags}) => tags.filter(tag => tag.startsWith('target:')));
	t.deepEqual([...new Set(targets)].sort(), [`target:${stack.project}/db`, `target:${stack.project}/files`]);
	for (const name of ['missing', 'outside', 'typo', 'cron', 'foreign', 'shell']) {
		t.is(await stack.exec(name, 'ls', '-A', '/data'), '', name);
	}

	t.is(await stack.exec('leaving', 'ls', '-A', '/data'), 'link.db');
	const pwned = 'ls -d /tmp/pwned /pwned /data/pwned /opt/holdfast/pwned pwned 2>/dev/null || true';
	for (const service of ['holdfast', 'db', 'files']) {
		t.is(await stack.exec(service, 'sh', '-c', pwned), '', service);
	}
};

const checkDatabases = async (t: ExecutionContext, stack: Stack, reader: Reader) => {
	const {stdout} = await stack.holdfast('points', `${stack.project}/db`, '--json');
	const [point] = JSON.parse(stdout) as PointView[];
	t.deepEqual(point?.sources.map(({source}) => source).sort(), ['postgres', ...databases].map(name => `postgres:${name}`).sort());
	const snapshots = await reader.snapshots(`run:${point?.point}`);
	for (const [index, name] of databases.entries()) {
		const id = point?.sources.find(({source}) => source === `postgres:${name}`)?.snapshot;
		const path = snapshots.find(snapshot => snapshot.id === id)?.paths[0] ?? '';
		t.regex(path, /^\/[\w-]+\/db\/postgres\/[^/]+$/, 'one element of a path');
		await put(stack, 'db', `/tmp/${index}.dump`, await reader.dump(id ?? '', path));
		const sql = await stack.exec('db', 'pg_restore', '--data-only', '-f', '-', `/tmp/${index}.dump`);
		const [, row] = /^COPY public\.whose .*\n(.*)\n\\\.$/m.exec(sql) ?? [];
		t.is(row, name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
	}
};

const checkFiles = async (t: ExecutionContext, stack: Stack, reader: Reader, run: string) => {
	const of = async (kind: string) =>
		(await reader.snapshots(`run:${run}`)).filter(({tags}) => tags.some(tag => tag.startsWith(`source:${kind}:`)));
	const [volume] = await of('volume');
	const restored = await treeOf(stack, 'reader', await reader.restore(volume?.id ?? '', volume?.paths[0] ?? ''));
	// The hook was given words: what a shell would have run is a name.
	t.deepEqual(
		restored.map(({name}) => name),
		['$(touch pwned)', file, 'first;', 'real.db', '|'].sort(),
	);
	const live = await treeOf(stack, 'files', '/data');
	t.deepEqual(
		restored,
		live.filter(({name}) => name !== `${file}.db` && name !== 'inner.db'),
	);

	const databases = await of('sqlite');
	t.is(databases.length, 2);
	for (const {id, paths} of databases) {
		await put(stack, 'files', '/tmp/copy.db', await reader.dump(id, paths[0] ?? ''));
		t.is(await stack.exec('files', 'sqlite3', '/tmp/copy.db', 'select x from t'), '42');
	}

	const [tar] = await of('tar');
	await put(stack, 'files', '/tmp/copy.tar', await reader.dump(tar?.id ?? '', tar?.paths[0] ?? ''));
	t.is(await stack.exec('files', 'tar', '--extract', '--to-stdout', '--file', '/tmp/copy.tar', '--', `${file}/${file}`), 'tar');
};

/** Nobody came; and had somebody come, it would be known. */
const checkTrap = async (t: ExecutionContext, stack: Stack) => {
	const log = async () => docker(['logs', stack.container('evil')]);
	t.is(await log(), 'listening');
	await t.throwsAsync(stack.exec('db', 'psql', '-d', 'host=evil dbname=x', '-c', 'select 1'));
	t.is(await log(), 'listening\ndialled');
};
