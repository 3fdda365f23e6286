import {PassThrough} from 'node:stream';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {dump} from '../../../../agent/browse/dump.ts';
import type {Manifest} from '../../../../agent/repository/manifest.ts';
import type {LookOptions} from '../../../../agent/restic/restic.ts';
import type {Running} from '../../../../base/command.ts';
import {NotFoundError} from '../../../../base/errors.ts';

const manifest = {
	run: 'run-1',
	target: 'shop/app',
	sources: [{source: 'volume:/data', kind: 'volume', snapshot: 'abcdef12', path: '/shop/app/volume/data'}],
} as unknown as Manifest;

/** A repository that holds one thing, and a dump of it that ends like this. */
function repository(type: string, end: Promise<{exitCode: number; stderr: string}> = Promise.resolve({exitCode: 0, stderr: ''})) {
	const calls: string[] = [];
	const {promise: killed, resolve: kill} = Promise.withResolvers<void>();
	const running = (verb: string) => async (): Promise<Running> => {
		calls.push(verb);
		const stdout = new PassThrough();
		stdout.end('content');
		end.catch(() => {});
		return {stdin: new PassThrough(), stdout, done: end, kill: async () => kill()};
	};
	const look = async ({path, onNode}: LookOptions) => {
		if (path === '/shop/app/volume/data/a b\n.txt') {
			onNode({path, type, size: 7, modified: undefined});
		}
	};
	return {calls, killed, restic: {look, dump: running('file'), dumpFolder: running('folder')}};
}

test('a file is its content, a folder a tar, under a name that every system has', async t => {
	const {restic, calls} = repository('file');
	const file = await dump(restic, manifest, '/data/a b\n.txt');
	t.like(file, {name: 'a_b_.txt', point: 'run-1', isTar: false});
	t.is(await text(file.stream), 'content');
	t.is(calls[0], 'file');
	const folder = await dump(repository('dir').restic, manifest, 'volume:/data/a b\n.txt');
	t.like(folder, {name: 'a_b_.txt.tar', isTar: true});
	folder.stream.destroy();
});

test('a dump whose end is a failure breaks off', async t => {
	const {stream} = await dump(repository('file', Promise.reject(new Error('a pack is missing'))).restic, manifest, '/data/a b\n.txt');
	await t.throwsAsync(text(stream), {message: 'a pack is missing'});
});

test('who leaves early ends the work', async t => {
	const {restic, killed} = repository('file', new Promise(() => {}));
	const {stream} = await dump(restic, manifest, '/data/a b\n.txt');
	for await (const _ of stream) {
		break;
	}

	await t.notThrowsAsync(killed);
});

test('what is not there is said, with where to look', async t => {
	const error = await t.throwsAsync(dump(repository('file').restic, manifest, '/data/no'), {instanceOf: NotFoundError});
	t.regex(String((error as NotFoundError).hint), /holdfast ls shop\/app/);
});
