/** Which process of those that are seen is the container's own server. */
import {symlink} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {findServer, serverAmong} from '../../../../agent/sources/server-process.ts';
import type {Place} from '../../../../base/command.ts';
import {temporaryFolder} from '../../../support/temporary-folder.ts';

const own = '9:name=systemd:/docker/a1';

const found = (first: string, ...processes: ReadonlyArray<readonly [number, string]>): number | undefined =>
	serverAmong([own, first, ...processes.map(([pid, group]) => `${pid} 999 999 ${group}\u001fpostgres\u001f-D\u001f/x y`), ''].join('\n'))
		?.pid;

test('the oldest of its own, with its arguments', t => {
	t.is(found(own, [40, own], [7, own], [9, own]), 7);
	t.deepEqual(serverAmong(`${own}\n${own}\n7 999 998 ${own}\u001fpostgres\u001f-D\u001f/x y\n`), {
		pid: 7,
		uid: '999',
		gid: '998',
		argv: ['postgres', '-D', '/x y'],
	});
	t.is(found(own), undefined);
});

test('one in a control group below its own, or where the first process is its own in any, is its own', t => {
	t.is(found(own, [7, `${own}/system.slice/postgresql.service`]), 7);
	t.is(found(own, [7, '9:name=systemd:/elsewhere']), 7);
	t.is(serverAmong('0::/\n0::/init.scope\n7 1 1 0::/system.slice/x\u001fpostgres\n')?.pid, 7);
});

test("with the host's processes, or another container's, it is none of theirs", t => {
	for (const [self, first, other, mine] of [
		['9:name=systemd:/docker/a1', '9:name=systemd:/', '9:name=systemd:/docker/b2', '9:name=systemd:/docker/a1'],
		['0::/', '0::/../../init.scope', '0::/../docker-b2.scope', '0::/'],
		['0::/', '0::/../b2', '0::/../b2', '0::/postgres'],
		['0::/', '0::/../..', '0::/../b2', '0::/'],
	] as const) {
		const said = (group: string) => `${self}\n${first}\n7 1 1 ${group}\u001fpostgres\n`;
		t.is(serverAmong(said(other)), undefined, other);
		t.is(serverAmong(said(mine))?.pid, 7, mine);
	}
});

test('the script finds a process by its name', async t => {
	const here: Place = async ({argv}) => {
		const [program = '', ...rest] = argv;
		const child = execa(program, rest, {buffer: false, reject: false, stdin: 'ignore'});
		const done = child.then(({exitCode = 1}) => ({exitCode, stderr: ''}));
		return {stdin: undefined as never, stdout: child.stdout, done, kill: async () => {}};
	};
	const folder = temporaryFolder(t);
	const name = `hf-${process.pid}`;
	await symlink('/bin/sh', join(folder, name));
	const child = execa(join(folder, name), ['-c', 'read -r _', 'a b'], {stdin: 'pipe', reject: false});
	const server = await findServer(here, [name]);
	child.kill();
	await child;
	t.like(server, {pid: child.pid, argv: [join(folder, name), '-c', 'read -r _', 'a b']});
});
