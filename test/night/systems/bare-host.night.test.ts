/** A project is restored as one; and on a host that has nothing but the repository, its password and the Compose file. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import type {PointView} from '../../../base/shapes/points.ts';
import type {RestorePlan} from '../../../base/shapes/restores.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

test('a project comes back to one moment, and from nothing', async t => {
	t.timeout(8 * 60_000);
	const [postgres, image] = await Promise.all([ensureImage('postgres:17'), ensureImage('holdfast-test/app:latest')]);
	const stack = await startStack(t, {
		volumes: ['data', 'database', 'more'],
		holdfast: {environment: {HOLDFAST_HOST: 'elsewhere'}},
		services: {
			db: {
				image: postgres,
				environment: {POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'app'},
				volumes: ['database:/var/lib/postgresql/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app'},
			},
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				depends_on: ['db'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/sub/app.db', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app'},
			},
			late: {image, command: ['sleep', 'infinity'], init: true, volumes: ['more:/more'], labels: {'holdfast.enable': 'true'}},
		},
	});
	const {project} = stack;
	const psql = async (sql: string) =>
		stack.exec('db', 'psql', '-h', '127.0.0.1', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'app', '-c', sql);
	const write = async (word: string) => {
		await psql(`drop table if exists word; create table word as select '${word}' as word`);
		const sqlite = `sqlite3 /data/sub/app.db "drop table if exists word; create table word as select '${word}' as word"`;
		await stack.exec(
			'app',
			'sh',
			'-ec',
			`mkdir -p /data/sub /etc/app; chown 7:8 /data; echo ${word} | tee /data/word >/etc/app/word; ${sqlite}`,
		);
	};
	const read = async () => {
		const files = 'cat /data/word /etc/app/word; stat -c %u:%g /data; sqlite3 /data/sub/app.db "select word from word"';
		return `${await psql('select word from word')} ${await stack.exec('app', 'sh', '-ec', files)}`.replaceAll('\n', ' ');
	};
	const all = (word: string) => `${word} ${word} ${word} 7:8 ${word}`;

	await until('the database', async () => psql('select 1'), {timeout: 60_000});
	await write('first');
	t.is((await stack.holdfast('backup', `${project}/db`, `${project}/app`)).exitCode, 0);
	const between = new Date(Date.now() + 1000);
	await until('the next second', () => Date.now() > between.getTime() + 1000);
	await write('second');
	await stack.exec('late', 'sh', '-c', 'echo only >/more/word');
	t.is((await stack.holdfast('backup', '--all')).exitCode, 0);

	// To a moment: each target's newest point until then, the applications down once.
	const dryRun = await stack.holdfast('restore', project, '--point', between.toISOString(), '--dry-run', '--json');
	const plan = JSON.parse(dryRun.stdout) as RestorePlan;
	t.deepEqual(
		plan.points.map(({target}) => target),
		[`${project}/db`, `${project}/app`],
		dryRun.stderr,
	);
	t.regex(plan.warnings.join(), /late` has no restore point by then/);
	const restoring = stack.restore(project, '--point', between.toISOString());
	const isUnderWay = async () => /"restore".*"running"/.test(JSON.stringify((await stack.api('GET', '/api/v1/runs?limit=1')).body));
	await until('the restore to be under way', isUnderWay);
	const meanwhile = await stack.api('POST', '/api/v1/backup', {targets: [`${project}/app`]});
	const restored = await restoring;
	t.is(restored.outcome, 'success', restored.error);
	t.regex(JSON.stringify(meanwhile.body), new RegExp(`busy with run ${restored.run}`), 'a backup of a target that is being restored');
	t.is(restored.target, project);
	t.is(restored.point, plan.points.map(({point}) => point).join(','));
	t.is(await read(), all('first'));
	t.is(await stack.exec('late', 'cat', '/more/word'), 'only');
	const undone = await stack.holdfast('restore', 'undo', restored.run, '--json');
	t.is((JSON.parse(undone.stdout) as RestoreResult).outcome, 'success', undone.stdout);
	t.is(await read(), all('second'));

	// One that cannot be restored keeps all of them as they are.
	await stack.compose('pause', 'late');
	const refused = await stack.holdfast('restore', project, '--yes');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /late-1` is paused/);
	await stack.compose('unpause', 'late');
	t.is(await read(), all('second'));

	// A new host: no containers, no volumes, no state; what is left is the repository, its password and compose.yml.
	const password = await stack.exec('holdfast', 'cat', '/state/repository-password');
	await stack.compose('down', '--timeout', '1');
	for (const volume of ['data', 'database', 'more', 'hf-state', 'hf-cache']) {
		await docker(['volume', 'rm', `${project}_${volume}`]);
	}

	await stack.change({environment: {RESTIC_PASSWORD: password.trim()}});
	await stack.ready();
	const {stdout} = await stack.holdfast('points', '--json');
	const points = JSON.parse(stdout) as PointView[];
	t.deepEqual([...new Set(points.map(({target}) => target))].sort(), [`${project}/app`, `${project}/db`, `${project}/late`]);
	const [agent] = new Set(points.map(point => point.agent));
	const adopted = await stack.holdfast('adopt', agent ?? '', '--force');
	t.is(adopted.exitCode, 0, adopted.stderr);
	await stack.compose('up', '--no-start');
	await stack.compose('start', 'db');
	await until('the new database', async () => psql('select 1'), {timeout: 60_000});
	const fresh = await stack.restore(project);
	t.is(fresh.outcome, 'success', fresh.error);
	await stack.compose('up', '--detach');
	t.is(await read(), all('second'));
	t.is(await stack.exec('late', 'cat', '/more/word'), 'only');
	t.is((await stack.holdfast('backup', '--all')).exitCode, 0);
});
