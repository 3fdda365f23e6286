/** What lies in the staging folder is handed over whole, and gone. */
import {existsSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {StreamOptions} from '../../../../agent/restic/restic.ts';
import type {SourceContext} from '../../../../agent/sources/source.ts';
import {storeStaged} from '../../../../agent/sources/staged.ts';
import {output} from '../../../../base/command.ts';
import {here} from '../../../../base/here.ts';

async function scene(t: ExecutionContext, content: string) {
	const folder = await mkdtemp(join(tmpdir(), 'hf-staged-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	const file = join(folder, 'copy of "all"');
	await writeFile(file, content);
	let stored: string | undefined;
	const context = {
		run: 'r1',
		target: 'shop/app',
		host: 'h',
		agent: 'a1',
		time: () => new Date(),
		tell() {},
		worker: async () => t.fail('no program is started for it alone') as never,
		restic: {
			/** As restic has it: no snapshot without an exit of 0. */
			async backupStream({command}: StreamOptions) {
				const {stdout, exitCode, stderr} = await output(here, {argv: command});
				if (exitCode !== 0) {
					throw new Error(stderr);
				}

				stored = stdout;
				return {snapshot: 's1', bytes: stdout.length, addedBytes: 1, files: 1, unmodifiedFiles: 0};
			},
		},
	} as unknown as SourceContext;
	return {file, stored: () => stored, store: async () => storeStaged(context, 'sqlite:/data/app.db', file, {tables: 1})};
}

test('a staged file is stored whole, and is gone when it is', async t => {
	const content = 'x'.repeat(1_000_000);
	const {file, stored, store} = await scene(t, content);
	t.deepEqual(await store(), {snapshot: 's1', bytes: content.length, addedBytes: 1, details: {tables: 1}});
	t.is(stored(), content);
	t.false(existsSync(file));
});

test('one that is not there is no content', async t => {
	const {file, stored, store} = await scene(t, 'x');
	await rm(file);
	await t.throwsAsync(store, {message: /No such file/});
	t.is(stored(), undefined);
});
