import test from 'ava';
import {oursOf} from '../../../../../agent/targets/dialects/ours.ts';
import {programOf} from '../../../../../agent/targets/dialects/program.ts';
import {isProgram, settingsOf} from '../../../../../agent/targets/dialects/settings.ts';
import type {DialectName} from '../../../../../base/reading/values.ts';
import {containerFromList} from '../../../../../docker/container.ts';

const volume = (name: string, path: string, readWrite = true) => ({
	Type: 'volume',
	Name: name,
	Source: `/var/lib/docker/volumes/${name}/_data`,
	Destination: path,
	RW: readWrite,
});

const container = (service: string, image: string, labels: Record<string, string>, mounts: Array<ReturnType<typeof volume>> = []) =>
	containerFromList({
		Id: service,
		Names: [`/shop-${service}-1`],
		Image: image,
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': service, ...labels},
		Mounts: mounts,
	});

const translated = (
	name: DialectName,
	{
		services,
		env = {},
		backed = [],
	}: {services: Array<ReturnType<typeof container>>; env?: Record<string, string>; backed?: Array<ReturnType<typeof volume>>},
) => {
	const program = container('backup', 'x', {}, backed);
	const {services: found, ...rest} = oursOf({
		name,
		containers: services,
		programs: [
			programOf(name, {container: program, settings: settingsOf(name, {image: 'x', env, mounts: program.mounts}), containers: services}),
		],
		suggested: services.map(each => ({container: each, labels: {volumes: 'true'}, why: ['all']})),
	});
	return {...rest, services: Object.fromEntries(found.map(({container: {service}, labels}) => [service, labels]))};
};

test('offen: which volumes is said by its own mounts, when and how long by its environment', t => {
	const {services, variables, lost} = translated('offen', {
		services: [
			container('web', 'web', {'docker-volume-backup.stop-during-backup': 'true'}, [
				volume('shop_data', '/data'),
				volume('shop_cache', '/cache'),
			]),
			container('db', 'db', {}, [volume('shop_db', '/var/lib/db')]),
			container('other', 'other', {}, [volume('shop_other', '/other')]),
			container('backup', 'offen/docker-volume-backup:v2', {}, [volume('shop_data', '/backup/data', false)]),
		],
		env: {BACKUP_CRON_EXPRESSION: '0 15 2 * * *', BACKUP_RETENTION_DAYS: '7', GPG_PASSPHRASE: 'canary'},
		backed: [volume('shop_data', '/backup/data', false), volume('shop_db', '/backup/db', false), volume('archive', '/archive')],
	});
	t.deepEqual(services, {
		web: {enable: 'true', volumes: '["/data"]', quiesce: 'stop'},
		db: {enable: 'true', volumes: '["/var/lib/db"]'},
	});
	t.deepEqual(
		variables.map(({name, value}) => `${name}=${value}`),
		['HOLDFAST_SCHEDULE=15 2 * * *', 'HOLDFAST_KEEP=within=7d'],
	);
	t.regex(lost.join(), /GPG_PASSPHRASE/);
	t.notRegex(JSON.stringify({variables, lost}), /canary/);
});

test('stack-back: all is meant where it says so, and what a label leaves out is left out', t => {
	const services = [container('web', 'web', {}, [volume('shop_data', '/data')]), container('db', 'db', {'stack-back.postgres': 'true'})];
	t.deepEqual(translated('stack-back', {services}).services, {db: {enable: 'true', postgres: 'true'}});
	const all = translated('stack-back', {services, env: {AUTO_BACKUP_ALL: 'True', RESTIC_KEEP_DAILY: '3', RESTIC_PASSWORD: 'canary'}});
	t.deepEqual(all.services, {db: {enable: 'true', postgres: 'true'}, web: {enable: 'true', volumes: 'true'}});
	t.is(all.variables.find(({name}) => name === 'HOLDFAST_KEEP')?.value, 'daily=3,weekly=4,monthly=12,yearly=3');
	t.notRegex(JSON.stringify(all), /canary/);
});

test('nautical: who is not left out is stopped, and how long its commands may take', t => {
	const p = 'nautical-backup';
	const data = volume('x', '/x');
	const services = [
		container('a', 'a', {[`${p}.enable`]: 'true', [`${p}.lifecycle.before`]: "sh -c 'x'", [`${p}.lifecycle.before.timeout`]: '0'}, [data]),
		container('b', 'b', {[`${p}.stop-before-backup`]: 'false', [`${p}.group`]: 'one', [`${p}.curl.before`]: 'curl x'}, [data]),
		container('c', 'c', {[`${p}.enable`]: 'false'}),
		container('d', 'd', {}),
		container('e', 'e', {[`${p}.enable`]: 'true'}),
	];
	const labelled = translated('nautical', {services, env: {REQUIRE_LABEL: 'true'}});
	t.deepEqual(labelled.services, {
		a: {enable: 'true', volumes: 'true', quiesce: 'stop', before: "sh -c 'x'", 'before.timeout': '1h'},
		b: {enable: 'true', volumes: 'true', group: 'one'},
	});
	t.regex(labelled.lost.join(), /e: it has no data, so it is neither stopped/);
	t.regex(labelled.lost.join(), /b: `nautical-backup\.curl\.before` is not heeded/);
	t.deepEqual(Object.keys(translated('nautical', {services: services.slice(0, 4)}).services), ['a', 'b', 'd'], 'all but who is left out');
});

test('by the name of the image, wherever it comes from', t => {
	t.true(isProgram('offen', 'offen/docker-volume-backup:v2'));
	t.true(isProgram('stack-back', 'ghcr.io/lawndoc/stack-back:1.0'));
	t.true(isProgram('nautical', 'minituff/nautical-backup:2'));
	t.false(isProgram('nautical', 'someone/nautical-backup-viewer'));
});
