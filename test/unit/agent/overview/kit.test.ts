import test from 'ava';
import {createKits} from '../../../../agent/overview/kit.ts';
import type {Repositories} from '../../../../agent/repository/repositories.ts';

const scene = () => {
	const notes: Record<string, string> = {};
	const kitsOf = (password: string, location = '/repository') =>
		createKits({
			state: {
				agentId: 'a1',
				notes: () => notes,
				saveNote(key, note) {
					notes[key] = note ?? '';
				},
			},
			repositories: {
				primary: {name: 'primary', repository: {location, env: {RESTIC_PASSWORD: password}}},
				copies: [{name: 'offsite', repository: {location: 's3:https://s3/bucket', env: {RESTIC_PASSWORD: 'b'}, options: {'s3.x': 'y'}}}],
			} as unknown as Repositories,
			host: 'nas',
			version: '1',
			home: '/nowhere',
			mounts: [
				{type: 'volume', volume: 'backups', hostPath: '/v', path: '/repository', readWrite: true},
				{type: 'bind', hostPath: '/srv/disk', path: '/disk', readWrite: true},
			],
		});
	return {notes, kitsOf};
};

test('it is kept until something of it changes, also over a restart', t => {
	const {notes, kitsOf} = scene();
	t.is(kitsOf('a').kitKept(), null);
	kitsOf('a').keepKit('cli');
	t.like(kitsOf('a').kitKept(), {by: 'cli'});
	t.is(kitsOf('another').kitKept(), null);
	t.is(kitsOf('a', 'rest:https://elsewhere/').kitKept(), null);
	t.notRegex(JSON.stringify(notes), /repository|bucket/);
	notes.kit = '{}';
	t.is(kitsOf('a').kitKept(), null);
});

test('it has all that opens each repository', t => {
	const {repositories, agent, kept} = scene().kitsOf('a').kit();
	t.deepEqual([agent, kept], ['a1', null]);
	t.deepEqual(repositories, [
		{
			name: 'primary',
			isFolder: true,
			heldIn: 'volume `backups`',
			environment: {RESTIC_REPOSITORY: '/repository', RESTIC_PASSWORD: 'a'},
			options: {},
			files: [],
		},
		{
			name: 'offsite',
			isFolder: false,
			environment: {RESTIC_REPOSITORY: 's3:https://s3/bucket', RESTIC_PASSWORD: 'b'},
			options: {'s3.x': 'y'},
			files: [],
		},
	]);
});

test('it says what of the host the repository is in', t => {
	const place = (location: string) => scene().kitsOf('a', location).kit().repositories[0]?.heldIn;
	t.is(place('/disk/all/backups'), '`/srv/disk/all/backups`');
	t.is(place('local:/repository/a'), 'volume `backups` (/a in it)');
	t.is(place('/elsewhere'), undefined);
});
