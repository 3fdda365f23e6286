import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {kitFiles, lastingOf} from '../../../../agent/overview/kit-files.ts';
import {temporaryFolder} from '../../../support/temporary-folder.ts';

const scene = (t: {teardown: (end: () => void) => void}, files: Record<string, string | Buffer>) => {
	const folder = temporaryFolder(t);
	mkdirSync(join(folder, '.ssh'));
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(join(folder, name), content);
	}

	return folder;
};

test('what variables and options name, and what that names in turn', t => {
	const folder = scene(t, {
		'rclone.conf': '',
		key: 'the key',
		known: 'hosts',
		'ca.pem': 'x'.repeat(70_000),
		'store.p12': Buffer.from([0, 1, 2, 255]),
	});
	const at = (name: string) => join(folder, name);
	writeFileSync(at('rclone.conf'), `[nas]\ntype = sftp\nkey_file = ${at('key')}\n`);
	const files = kitFiles(
		{
			location: 'rclone:nas:backups',
			env: {
				RESTIC_PASSWORD: at('known'),
				RCLONE_CONFIG: at('rclone.conf'),
				RESTIC_CACERT: at('ca.pem'),
				RESTIC_TLS_CLIENT_CERT: at('store.p12'),
				GOOGLE_APPLICATION_CREDENTIALS: at('gone'),
				AWS_SECRET_ACCESS_KEY: '/looks/like/a/path',
				SSL_CERT_DIR: folder,
			},
			options: {'sftp.args': `-i ${at('key')} -o UserKnownHostsFile=${at('known')}`},
		},
		'/nowhere',
	);
	t.deepEqual(
		new Map(files.map(({path, ...file}) => [path.slice(folder.length + 1), file])) as unknown,
		new Map<string, unknown>([
			['rclone.conf', {text: `[nas]\ntype = sftp\nkey_file = ${at('key')}\n`}],
			['key', {text: 'the key'}],
			['ca.pem', {bytes: 70_000}],
			['store.p12', {base64: 'AAEC/w=='}],
			['gone', {missing: 'ENOENT'}],
			['known', {text: 'hosts'}],
		]),
	);
});

test('what ssh and rclone look for by themselves', t => {
	const folder = scene(t, {'.ssh/id_ed25519': 'key', '.ssh/config': 'Host nas\n', '.rclone.conf': '[nas]\n'});
	const paths = (location: string, env = {}) => kitFiles({location, env}, folder).map(({path}) => path.slice(folder.length + 1));
	t.deepEqual(paths('sftp:nas:/backups').sort(), ['.ssh/config', '.ssh/id_ed25519']);
	t.deepEqual(paths('rclone:nas:backups'), ['.rclone.conf']);
	t.deepEqual(paths('s3:https://s3/bucket'), []);
});

test('a token that passes does not make a kept kit worthless; a new key does', t => {
	const lasting = (text: string) => lastingOf([{path: '/rclone.conf', text}]);
	t.is(lasting('[drive]\ntoken = {"a":1}\ntype = drive'), lasting('[drive]\ntoken = {"a":2}\ntype = drive'));
	t.not(lasting('[drive]\nclient_secret = a'), lasting('[drive]\nclient_secret = b'));
});
