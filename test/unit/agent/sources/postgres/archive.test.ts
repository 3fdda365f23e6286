import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import type {ExecutionContext} from 'ava';
import test from 'ava';
import type {Restic} from '../../../../../agent/restic/restic.ts';
import {archiveProblem, archiveVersionOf, eachEntry} from '../../../../../agent/sources/postgres/archive.ts';
import type {Place, Running} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const head = (major: number, minor: number) => Buffer.concat([Buffer.from('PGDMP'), Buffer.from([major, minor, 0, 4])]);

test('the version is in the first bytes', t => {
	t.deepEqual(archiveVersionOf(head(1, 16)), {major: 1, minor: 16});
	for (const other of [Buffer.from('-- a plain dump'), Buffer.from('PGDMP'), Buffer.alloc(0)]) {
		t.throws(() => archiveVersionOf(other), {message: /no dump in custom format/});
	}
});

test('an archive that is too new is refused, with both versions', t => {
	const tool = (version: string) => `pg_restore (PostgreSQL) ${version} (Debian ${version}-1)\n`;
	t.is(archiveProblem({major: 1, minor: 14}, tool('13.21')), undefined);
	t.is(archiveProblem({major: 1, minor: 15}, tool('16.9')), undefined);
	t.is(archiveProblem({major: 1, minor: 16}, tool('17.6')), undefined);
	t.is(
		archiveProblem({major: 1, minor: 16}, tool('15.14')),
		"the dump is an archive of version 1.16, and the container's pg_restore 15.14 reads those up to 1.14",
	);
	t.regex(archiveProblem({major: 1, minor: 15}, tool('13.21')) ?? '', /1\.15.*13\.21.*1\.14/);
	t.regex(archiveProblem({major: 2, minor: 0}, tool('18.1')) ?? '', /2\.0/);
});

test('of a version that is not known yet nothing is forbidden: pg_restore itself refuses, before anything is touched', t => {
	t.is(archiveProblem({major: 1, minor: 17}, 'pg_restore (PostgreSQL) 19.0'), undefined);
	t.is(archiveProblem({major: 1, minor: 17}, 'something else'), undefined);
});

/** What pg_restore does: it reads the beginning of its input, prints, and ends. */
async function listWith(t: ExecutionContext, program: string) {
	const folder = temporaryFolder(t);
	await writeFile(join(folder, 'pg_restore'), `#!/bin/sh\n${program}\n`, {mode: 0o755});
	let listing: Running | undefined;
	const client: Place = async command => {
		listing = await here({...command, env: {PATH: `${folder}:${process.env.PATH}`}});
		return listing;
	};
	const stdout = Readable.from(Array.from({length: 100}, () => Buffer.alloc(65_536)));
	const exit = {exitCode: 0, stderr: ''};
	const restic = {
		peek: async () => ({stdout, stdin: new PassThrough(), done: Promise.resolve(exit), kill: async () => {}}),
	} as unknown as Restic;
	const lines: string[] = [];
	const ended = eachEntry(
		{restic, server: {client, hasShell: true}, stored: {snapshot: 's', path: '/p'}, signal: new AbortController().signal},
		line => lines.push(line),
	);
	return {ended, lines, isTaken: () => listing?.stdin.writableFinished};
}

test('the table of contents is read to its end, and nothing that was sent is left unread', async t => {
	const {ended, lines, isTaken} = await listWith(t, 'head -c 5 >/dev/null; echo one; echo two');
	await ended;
	t.deepEqual(lines, ['one', 'two']);
	t.true(isTaken());
});

test('a table of contents that pg_restore cannot read is an error that quotes it', async t => {
	const {ended} = await listWith(t, 'echo "not a valid archive" >&2; exit 3');
	await t.throwsAsync(ended, {message: 'the table of contents cannot be read: not a valid archive'});
});
