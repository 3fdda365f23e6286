/** What is proposed for a container that no label speaks of. */
import {Duplex} from 'node:stream';
import test from 'ava';
import type {Means} from '../../../../../agent/sources/kind.ts';
import {proposeSqlite} from '../../../../../agent/sources/sqlite/find.ts';
import {parseLabels} from '../../../../../agent/targets/labels.ts';
import type {Container} from '../../../../../docker/container.ts';
import type {Workforce} from '../../../../../docker/worker.ts';

const container = {
	name: 'vaultwarden',
	mounts: [
		{type: 'bind', hostPath: '/srv/vw-data', path: '/data', readWrite: true},
		{type: 'bind', hostPath: '/etc/localtime', path: '/etc/localtime', readWrite: true},
		{type: 'bind', hostPath: '/srv/media', path: '/media', readWrite: false},
	],
} as unknown as Container;

function propose(answer: unknown, exitCode = 0) {
	const looked: unknown[] = [];
	let isDismissed = false;
	const workforce = {
		async repository(mounts: unknown[]) {
			looked.push(...mounts);
			return {
				run: async () => ({
					stdin: new Duplex({read() {}, write: (_chunk, _encoding, callback) => callback()}),
					stdout: Duplex.from([Buffer.from(JSON.stringify(answer))]),
					done: Promise.resolve({exitCode, stderr: 'no room'}),
				}),
			};
		},
		async dismiss() {
			isDismissed = true;
		},
	} as unknown as Workforce;
	const means = {hire: async () => workforce, dataRoot: '/var/lib/docker', agent: undefined} as unknown as Means;
	return {proposal: proposeSqlite(container, means, AbortSignal.timeout(1000)), looked, isDismissed: () => isDismissed};
}

const database = (path: string) => ({path, isDatabase: true});

test('databases that are found are asked for, with the files beside them; it looks where a backup would', async t => {
	const {proposal, looked, isDismissed} = propose({
		found: [database('/data/db.sqlite3'), database('/data/b.db')],
		isCut: false,
		unreadable: [],
	});
	const {labels = {}, why} = (await proposal) ?? {};
	t.deepEqual(labels, {sqlite: '/data/db.sqlite3,/data/b.db', volumes: 'true'});
	t.is(why, 'SQLite, by what "/data/db.sqlite3" and 1 more begin with');
	t.is(looked.length, 1);
	t.true(isDismissed());
	const prefixed = Object.fromEntries(Object.entries({enable: 'true', ...labels}).map(([name, value]) => [`holdfast.${name}`, value]));
	t.deepEqual(parseLabels(prefixed, {subject: 'vaultwarden'}).problems, []);
});

test('many, or such as a list or a pattern would read otherwise, are all that there are', async t => {
	for (const paths of [['/data/a', '/data/b', '/data/c', '/data/d'], ['/data/a,b'], ['/data/[a]']]) {
		const {proposal} = propose({found: paths.map(database), isCut: false, unreadable: []});
		t.is((await proposal)?.labels.sqlite, 'true');
	}
});

test('none, or more than can be backed up, are files like others', async t => {
	t.is(await propose({found: [], isCut: false, unreadable: ['/data/closed']}).proposal, undefined);
	t.is(await propose({found: [database('/data/a')], isCut: true, unreadable: []}).proposal, undefined);
});

test('a look that fails is told, and leaves no worker', async t => {
	const {proposal, isDismissed} = propose({found: [], isCut: false, unreadable: []}, 1);
	await t.throwsAsync(proposal, {message: /cannot be looked for .*`vaultwarden`: no room/});
	t.true(isDismissed());
});
