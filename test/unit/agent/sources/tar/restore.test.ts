/** A path of a container, which the application may make or remove while what takes its place is loaded. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {type ReplacedPath, rollBackTar, tarRestoring} from '../../../../../agent/sources/tar/restore.ts';
import {here} from '../../../../../base/here.ts';
import {printed} from '../../../../support/doubles/memory-restic.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const path = '/etc/app';

function scene(t: ExecutionContext) {
	const staging = temporaryFolder(t);
	mkdirSync(join(staging, 'made'));
	const tarOf = (content: string): Buffer => {
		writeFileSync(join(staging, 'made', 'app'), content);
		return execFileSync('tar', ['--create', '--mtime=@0', `--directory=${join(staging, 'made')}`, 'app']);
	};
	let live: Buffer | undefined;
	const kept: Buffer[] = [];
	const remembered: ReplacedPath[] = [];
	const told: string[] = [];
	const notThere = () => Object.assign(new Error('Could not find the file'), {statusCode: 404});
	const stored = tarOf('stored');
	const engine = {
		async stat() {
			if (live === undefined) {
				throw notThere();
			}

			return {isDirectory: false, linkTarget: ''};
		},
		async archive() {
			if (live === undefined) {
				throw notThere();
			}

			return Readable.from([live]);
		},
		inspect: async () => ({mounts: []}),
		async putArchive(_id: string, _path: string, archive: Readable) {
			live = await buffer(archive);
		},
	};
	const restic = {
		async backupStream({command}: {command: readonly string[]}) {
			kept.push(readFileSync(command.at(-1) ?? ''));
			return {snapshot: `safety-${kept.length}`, bytes: 1, addedBytes: 1};
		},
	};
	const context = {
		engine,
		worker: here,
		staging,
		signal: new AbortController().signal,
		target: 'shop/app',
		run: 'r1',
		host: 'h',
		agent: 'a',
		previous: () => undefined,
		keeper: {restic},
		resticInto: (file: string) => ({
			async dump() {
				writeFileSync(file, stored);
				return printed('');
			},
		}),
		remember: (replacement: ReplacedPath) => void remembered.push(replacement),
		tell: ({message}: {message: string}) => void told.push(message),
		container: () => ({id: 'c1', name: 'app'}),
	};
	const source = {name: 'app/tar:/etc/app', path, container: {id: 'c1', name: 'app'}, stored: {snapshot: 's', path: 'p'}};
	type Parameters_ = Parameters<typeof tarRestoring>;
	const restoring = tarRestoring(source as unknown as Parameters_[0], context as unknown as Parameters_[1], {index: 0});
	return {
		restoring,
		remembered,
		kept,
		told,
		tarOf,
		set: (content: string | undefined) => {
			live = content === undefined ? undefined : tarOf(content);
		},
		undo: async () => rollBackTar(remembered.at(-1) as ReplacedPath, context as unknown as Parameters<typeof rollBackTar>[1]),
	};
}

test('what the application makes while the archive is loaded is kept before it is overwritten', async t => {
	const {restoring, set, remembered, kept, tarOf} = scene(t);
	await restoring.load();
	set('made meanwhile');
	await restoring.ready?.();
	await restoring.keep();
	t.is(remembered.at(-1)?.safety, 'safety-1');
	t.deepEqual(kept, [tarOf('made meanwhile')]);
	await restoring.swap();
});

test('what it removes meanwhile need not be kept; nor is its undo silent about what stays', async t => {
	const {restoring, set, remembered, undo, told} = scene(t);
	set('live');
	await restoring.load();
	set(undefined);
	await restoring.ready?.();
	await restoring.keep();
	t.like(remembered.at(-1), {safety: null, wasAbsent: true});
	await undo();
	t.deepEqual(told, []);
	await restoring.swap();
	await undo();
	t.regex(told.join(), /`\/etc\/app` of .* was not there before, and stays/);
});
