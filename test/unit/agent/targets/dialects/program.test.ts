import test from 'ava';
import {createOthers} from '../../../../../agent/plan/others.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {type DialectName, dialectNames} from '../../../../../base/reading/values.ts';
import {type Container, containerFromList} from '../../../../../docker/container.ts';
import type {Engine} from '../../../../../docker/engine.ts';

const mount = (volume: string, path: string, readWrite = true) => ({
	Type: 'volume',
	Name: volume,
	Source: `/var/lib/docker/volumes/${volume}/_data`,
	Destination: path,
	RW: readWrite,
});

const service = (
	name: string,
	{
		image = 'image',
		labels = {},
		mounts = [mount('shop_data', '/data')],
		project = 'shop',
	}: {image?: string; labels?: Record<string, string>; mounts?: Array<ReturnType<typeof mount>>; project?: string},
) =>
	containerFromList({
		Id: name,
		Names: [`/shop-${name}-1`],
		Image: image,
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Labels: {'com.docker.compose.project': project, 'com.docker.compose.service': name, ...labels},
		Mounts: mounts,
	});

/** By the ids of containers. */
type Environments = Record<string, Record<string, string>>;

async function found(containers: Container[], env: Environments, dialects: readonly DialectName[] = dialectNames) {
	const asked: string[] = [];
	const inspect = async (id: string) => {
		asked.push(id);
		return {env: env[id] ?? {}};
	};
	const others = createOthers({inspect} as unknown as Engine, dialects);
	const programs = await others(containers);
	await others(containers);
	const targets = discoverTargets(containers, {dialects, programs});
	return {
		asked,
		targets: Object.fromEntries(
			targets.map(({name, policy: {schedule, keep}, members: [{policy}]}) => [name, {schedule, keep, quiesce: policy.quiesce}]),
		),
		notes: targets.flatMap(({members}) => members.flatMap(({translated = []}) => translated)),
		problems: targets.flatMap(({problems}) => problems.map(({message}) => message)),
	};
}

const offen = (mounts = [mount('shop_data', '/backup/data', false)]) => service('backup', {image: 'offen/docker-volume-backup:v2', mounts});

test('offen: when and how long it keeps, which volumes, and what is lost; the plan says of which', async t => {
	const stop = {'docker-volume-backup.stop-during-backup': 'true'};
	const {targets, notes, problems, asked} = await found(
		[
			service('web', {labels: stop, mounts: [mount('shop_data', '/data'), mount('shop_cache', '/cache')]}),
			service('db', {mounts: [mount('shop_db', '/var/lib/db')]}),
			service('other', {mounts: [mount('shop_other', '/x')]}),
			offen([
				mount('shop_data', '/backup/data', false),
				mount('shop_db', '/backup/db', true),
				mount('conf', '/etc/dockervolumebackup/conf.d', false),
			]),
		],
		{
			backup: {
				BACKUP_CRON_EXPRESSION: '0 15 2 * * *',
				BACKUP_RETENTION_DAYS: '7',
				BACKUP_EXCLUDE_REGEXP: '\\.log$',
				GPG_PASSPHRASE: 'canary',
				AWS_SECRET_ACCESS_KEY: 'canary',
			},
		},
	);
	t.deepEqual(problems, []);
	t.deepEqual(Object.keys(targets), ['shop/db', 'shop/web'], 'neither what it does not store, nor itself');
	t.like(targets['shop/web'], {schedule: '15 2 * * *', quiesce: 'stop'});
	t.like(targets['shop/db'], {schedule: '15 2 * * *'});
	t.truthy(targets['shop/db']?.keep);

	const said = notes.join('\n');
	t.regex(said, /holdfast\.volumes=\["\/data"\]` because of `a mount of its own container`/);
	t.regex(said, /`holdfast\.schedule=15 2 \* \* \*` because of `BACKUP_CRON_EXPRESSION of its own container`/);
	t.regex(said, /`holdfast\.keep=within=7d` because of `BACKUP_RETENTION_DAYS/);
	t.regex(said, /`BACKUP_EXCLUDE_REGEXP` has no counterpart/);
	t.regex(said, /conf\.d` is not read/);
	t.notRegex(JSON.stringify([said, targets]), /canary/);
	t.deepEqual(asked, ['backup'], 'once in its life, and nobody else');
});

test('offen: of several, the one that stores it, or that its label names', async t => {
	const label = 'docker-volume-backup.stop-during-backup';
	const {targets} = await found(
		[
			service('a', {labels: {[label]: 'weekly'}, mounts: [mount('shop_x', '/x')]}),
			service('b', {labels: {[label]: 'weekly'}, mounts: [mount('shop_b', '/b')]}),
			service('daily', {image: 'offen/docker-volume-backup', mounts: [mount('shop_b', '/backup/b', false)]}),
			service('weekly', {image: 'offen/docker-volume-backup', mounts: []}),
		],
		{
			daily: {BACKUP_CRON_EXPRESSION: '0 1 * * *'},
			weekly: {BACKUP_CRON_EXPRESSION: '0 5 * * 0', BACKUP_STOP_DURING_BACKUP_LABEL: 'weekly'},
		},
	);
	t.like(targets['shop/a'], {schedule: '0 5 * * 0', quiesce: 'stop'});
	t.like(targets['shop/b'], {schedule: '0 1 * * *', quiesce: 'stop'});
});

test('stack-back and nautical: when, and how long; labels of ours count more', async t => {
	const {targets, notes} = await found(
		[
			service('db', {labels: {'stack-back.volumes': 'true'}}),
			service('own', {labels: {'stack-back.volumes': 'true', 'holdfast.schedule': '@hourly', 'holdfast.keep': 'last=2'}}),
			service('backup', {image: 'ghcr.io/lawndoc/stack-back:1.4', mounts: []}),
		],
		{backup: {CRON_SCHEDULE: '10 4 * * *', RESTIC_KEEP_DAILY: '3', RESTIC_PASSWORD: 'canary', RESTIC_REPOSITORY: 'rest:http://canary@x'}},
	);
	t.like(targets['shop/db'], {schedule: '10 4 * * *'});
	t.like(targets['shop/own'], {schedule: '0 * * * *'});
	t.regex(notes.join('\n'), /daily=3,weekly=4/);
	t.regex(notes.join('\n'), /RESTIC_REPOSITORY/);
	t.notRegex(notes.join('\n'), /canary/);
	const second = await found(
		[service('a', {labels: {'nautical-backup.enable': 'true'}}), service('n', {image: 'minituff/nautical-backup:2', mounts: []})],
		{n: {CRON_SCHEDULE: '0 6 * * *', REQUIRE_LABEL: 'yes'}},
	);
	t.like(second.targets['shop/a'], {schedule: '0 6 * * *', quiesce: 'stop'});
});

test('the container of another project, or of a program that nobody named, says nothing', async t => {
	const web = service('web', {labels: {'docker-volume-backup.stop-during-backup': 'true'}});
	const env = {backup: {BACKUP_CRON_EXPRESSION: '0 1 * * *'}};
	const foreign = service('backup', {image: 'offen/docker-volume-backup', project: 'elsewhere', mounts: [mount('shop_data', '/backup/d')]});
	t.like((await found([web, foreign], env)).targets['shop/web'], {schedule: undefined});
	const {asked, targets} = await found([web, offen()], env, ['nautical']);
	t.deepEqual([asked, targets], [[], {}]);
});

test('a bad cron line of theirs is a problem of the target, by the name that it has there', async t => {
	const {problems, notes} = await found([service('web', {labels: {'docker-volume-backup.stop-during-backup': 'true'}}), offen()], {
		backup: {BACKUP_CRON_EXPRESSION: 'now and then'},
	});
	t.regex(problems.join(), /schedule.*now and then/);
	t.regex(notes.join(), /BACKUP_CRON_EXPRESSION/);
});
