import test from 'ava';
import {translate} from '../../../../../agent/targets/dialects/translate.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import type {DialectName} from '../../../../../base/reading/values.ts';
import {containerFromList} from '../../../../../docker/container.ts';

const container = (labels: Record<string, string>) =>
	containerFromList({
		Id: 'id',
		Names: ['/shop-web-1'],
		Image: 'image',
		ImageID: 'sha256:1',
		Created: 0,
		State: 'running',
		Labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web', ...labels},
		Mounts: [
			{Type: 'volume', Name: 'shop_media', Source: '/var/lib/docker/volumes/shop_media/_data', Destination: '/srv/media', RW: true},
			{Type: 'bind', Source: '/srv/files', Destination: '/srv/files', RW: true},
			{Type: 'bind', Source: '/srv/files-conf', Destination: '/etc/conf', RW: false},
		],
	});

const of = (name: DialectName, labels: Record<string, string>) => {
	const translated = translate(container(labels), {prefix: 'holdfast.', names: [name], programs: []});
	const ours = Object.entries(translated.labels).filter(([label]) => label.startsWith('holdfast.'));
	return {...translated, ours: Object.fromEntries(ours.map(([label, value]) => [label.slice('holdfast.'.length), value]))};
};

test('stack-back: volumes, filters, databases and the stop', t => {
	const labelsOf = (labels: Record<string, string>) => of('stack-back', labels).ours;
	t.deepEqual(labelsOf({'stack-back.volumes': 'true'}), {enable: 'true', volumes: 'true'});
	t.deepEqual(labelsOf({'stack-back.volumes': 'True', 'stack-back.volumes.stop-during-backup': 'true'}), {
		enable: 'true',
		volumes: 'true',
		quiesce: 'stop',
	});
	t.deepEqual(labelsOf({'stack-back.volumes': 'true', 'stack-back.volumes.include': 'media'}), {
		enable: 'true',
		volumes: '["/srv/media"]',
	});
	t.deepEqual(labelsOf({'stack-back.volumes.exclude': 'media, nothing'}), {enable: 'true', volumes: '["/srv/files"]'});
	t.deepEqual(labelsOf({'stack-back.volumes.exclude': 'media,files'}), {});
	t.deepEqual(labelsOf({'stack-back.postgres': 'true', 'stack-back.volumes': 'False'}), {
		enable: 'true',
		postgres: 'true',
		volumes: 'false',
	});
	t.deepEqual(labelsOf({'stack-back.mysql': 'true'}), {enable: 'true', mariadb: 'true'});
	t.deepEqual(labelsOf({'stack-back.mysql': 'False', 'stack-back.volumes': 'false'}), {enable: 'false'});
	t.deepEqual(labelsOf({'stack-back.mysql': 'False'}), {});
	t.deepEqual(of('stack-back', {'stack-back.postgres': 'true', 'stack-back.redis': 'true'}).notes, [
		'`holdfast.enable=true` because of `stack-back.postgres`',
		'`holdfast.postgres=true` because of `stack-back.postgres`',
		'`stack-back.redis` is not understood',
	]);
});

test('stack-back: a command before and one after, in its own container; what ours cannot do is said', t => {
	const hooks = 'stack-back.hooks';
	const volumes = {'stack-back.volumes': 'true'};
	t.deepEqual(of('stack-back', {...volumes, [`${hooks}.pre.1.cmd`]: 'occ on', [`${hooks}.finally.3.cmd`]: 'occ off'}).ours, {
		enable: 'true',
		volumes: 'true',
		before: 'occ on',
		'before.timeout': '1h',
		after: 'occ off',
		'after.timeout': '1h',
	});
	t.like(of('stack-back', {...volumes, [`${hooks}.pre.1.cmd`]: 'sync', [`${hooks}.pre.1.on-error`]: 'continue'}).ours, {
		before: 'sync',
		'before.on-error': 'continue',
	});
	for (const beyond of [
		{[`${hooks}.pre.1.cmd`]: 'a', [`${hooks}.pre.2.cmd`]: 'b'},
		{[`${hooks}.post.1.cmd`]: 'a', [`${hooks}.finally.1.cmd`]: 'b'},
		{[`${hooks}.pre.1.cmd`]: 'a', [`${hooks}.pre.1.context`]: 'db'},
		{[`${hooks}.error.1.cmd`]: 'a'},
	]) {
		const {ours, notes} = of('stack-back', {...volumes, ...beyond});
		t.deepEqual(ours, {enable: 'true', volumes: 'true'});
		t.is(notes.filter(note => /hooks\..* is not heeded: a service has one command/.test(note)).length, Object.keys(beyond).length);
	}

	t.deepEqual(of('stack-back', {[`${hooks}.pre.1.cmd`]: 'a'}).ours.enable, undefined);
});

test('offen: the stop, commands with their users, and what has no counterpart', t => {
	const p = 'docker-volume-backup';
	t.deepEqual(of('offen', {[`${p}.stop-during-backup`]: 'service1'}).ours, {enable: 'true', volumes: 'true', quiesce: 'stop'});
	t.deepEqual(
		of('offen', {[`${p}.archive-pre`]: "/bin/sh -c 'dump >/d'", [`${p}.archive-pre.user`]: 'git', [`${p}.exec-post`]: 'rm /d'}).ours,
		{
			enable: 'true',
			volumes: 'true',
			before: "/bin/sh -c 'dump >/d'",
			'before.timeout': '1h',
			'before.user': 'git',
			after: 'rm /d',
			'after.timeout': '1h',
		},
	);
	const {notes} = of('offen', {[`${p}.copy-post`]: 'rsync', [`${p}.stop-during-backup-no-restart`]: 'true'});
	t.true(notes.some(note => /copy-post` is not run/.test(note)));
	t.true(notes.some(note => /no-restart` is not heeded: what is stopped for a backup is started/.test(note)));
	t.deepEqual(of('offen', {[`${p}.stop-during-backup-no-restart`]: 'service2'}).ours, {enable: 'true', volumes: 'true', quiesce: 'stop'});
	t.deepEqual(of('offen', {[`${p}.exclude`]: 'true'}).ours, {}, 'it has no such label, so nobody asks for a backup');
	t.deepEqual(of('offen', {[`${p}.exec-label`]: 'x', 'holdfast.enable': 'false'}).ours.enable, 'false');
});

test('only the programs that are named are understood, our own labels count more, and the target says what was made of what', t => {
	const labels = {'stack-back.volumes': 'true', 'holdfast.quiesce': 'none', 'stack-back.volumes.stop-during-backup': 'true'};
	t.deepEqual(discoverTargets([container(labels)]), []);
	t.deepEqual(discoverTargets([container(labels)], {dialects: ['offen']}), []);
	const [target] = discoverTargets([container(labels)], {dialects: ['offen', 'stack-back']});
	t.is(target?.name, 'shop/web');
	t.deepEqual(target?.problems, []);
	t.is(target?.members[0].policy.quiesce, 'none');
	t.deepEqual(target?.members[0].translated, [
		'`holdfast.enable=true` because of `stack-back.volumes`',
		'`holdfast.volumes=true` because of `stack-back.volumes`',
	]);
	const [all] = discoverTargets(
		[container({'stack-back.postgres': 'true', 'stack-back.volumes.include': 'media', 'docker-volume-backup.archive-pre': 'sync'})],
		{dialects: ['offen', 'stack-back']},
	);
	t.deepEqual(all?.problems, []);
});

test('as people have them: labels of the programs that these go on from, old ones, and none that nobody speaks of', t => {
	// openmrs-distro-referenceapplication and others that began with restic-compose-backup
	t.deepEqual(of('stack-back', {'restic-compose-backup.volumes': 'true', 'restic-compose-backup.volumes.include': 'files,nothing'}).ours, {
		enable: 'true',
		volumes: '["/etc/conf","/srv/files"]',
	});
	t.deepEqual(of('stack-back', {'restic-compose-backup.mariadb': 'true', 'restic-compose-backup.quiesce': 'true'}).notes, [
		'`holdfast.enable=true` because of `restic-compose-backup.mariadb`',
		'`holdfast.mariadb=true` because of `restic-compose-backup.mariadb`',
		'`restic-compose-backup.quiesce` is not understood',
	]);
	// jareware/docker-volume-backup#23
	t.deepEqual(
		of('offen', {
			'docker-volume-backup.exec-pre-backup': 'pg_dumpall -U mmuser -f /tmp/mattermost.dump',
			'docker-volume-backup.exec-post-backup': 'rm -fv /tmp/mattermost.dump',
		}).ours,
		{
			enable: 'true',
			volumes: 'true',
			before: 'pg_dumpall -U mmuser -f /tmp/mattermost.dump',
			'before.timeout': '1h',
			after: 'rm -fv /tmp/mattermost.dump',
			'after.timeout': '1h',
		},
	);
	// offen/docker-volume-backup#210, and a misspelt one
	const {notes} = of('offen', {'docker-volume-backup.exec-label': 'db', 'docker-volume-backup.stop-during-backups': 'true'});
	t.true(notes.some(note => /exec-label` is not heeded/.test(note)));
	t.true(notes.some(note => /stop-during-backups` is not understood/.test(note)));
	// Minituff/nautical-backup#34: it would have been stopped, and was to be left alone
	t.deepEqual(of('nautical', {'nautical-backup.skip': 'true'}).ours, {enable: 'false'});
	t.is(of('nautical', {'nautical-backup.skip': 'false'}).ours.enable, 'true');
	// Minituff/nautical-backup#323
	t.deepEqual(of('nautical', {'nautical-backup.enable': 'true', 'nautical-backup.group': 'npm'}).ours.group, 'npm');
	t.true(of('nautical', {'nautical-backup.override-source-dir': 'a'}).notes.some(note => /override-source-dir` is not heeded/.test(note)));
});
