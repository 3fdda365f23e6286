/** The program between a dump and restic: it exits 0 only for a stream that is whole. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {bothEnds, relayScript} from '../../../../agent/sources/relay.ts';
import {explain, RepositoryError, type RepositoryProblem} from '../../../../base/errors.ts';

const trailer = '-- PostgreSQL database dump complete';
const rows = 'a row of a table\n'.repeat(20_000);

const relayed = async (content: string, {magic = '--', end = trailer, isMarked = true} = {}) => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-relay-'));
	const fifo = join(folder, 'fifo');
	try {
		await execa('sh', ['-c', 'mkfifo "$1"', 'sh', fifo]);
		if (isMarked) {
			await writeFile(`${fifo}.complete`, '');
		}

		const relaying = execa('sh', ['-c', relayScript, 'relay', fifo, magic, end], {
			reject: false,
			stripFinalNewline: false,
			timeout: 20_000,
		});
		await execa('sh', ['-c', 'cat >"$1"', 'sh', fifo], {input: content, reject: false});
		return await relaying;
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};

test('a dump with its end passes as it is', async t => {
	for (const ending of ['--\n\n', '--\n\n\\unrestrict aZ0\n\n']) {
		const content = `--\n${rows}--\n${trailer}\n${ending}`;
		const {exitCode, stdout} = await relayed(content);
		t.is(exitCode, 0);
		t.is(stdout, content);
	}

	const {exitCode, stdout} = await relayed('PGDMP, and what only pg_restore knows', {magic: 'PGDMP', end: ''});
	t.deepEqual([exitCode, stdout], [0, 'PGDMP, and what only pg_restore knows']);
});

test('a dump that lacks something is refused', async t => {
	const refused: Array<[content: string, said: RegExp, options?: Parameters<typeof relayed>[1]]> = [
		['', /does not begin with --/],
		['pg_dump: error', /does not begin with --/],
		[`--\n${rows}`, /does not end with -- PostgreSQL database dump complete/],
		[`--\n${trailer}\n${rows}`, /does not end with/],
		[`--\n${rows}${trailer}\n`, /broke off/, {isMarked: false}],
	];
	for (const [content, said, options] of refused) {
		const {exitCode, stderr} = await relayed(content, options);
		t.is(exitCode, 1, stderr);
		t.regex(stderr, said);
	}
});

test('of both ends of a stream, the one is named that failed first, and not what failed because of it', async t => {
	const said = async (writer: string, reader: Error) =>
		bothEnds(new AbortController().signal, {
			write: async () => Promise.reject(new Error(writer)),
			read: async () => Promise.reject(reader),
		}).then(() => '', explain);
	const refused = (problem: RepositoryProblem, message: string) => new RepositoryError(problem, message);
	t.is(
		await said('pg_dump: no such table', refused('failed', 'backup: the dump broke off; unable to save snapshot')),
		'pg_dump: no such table',
	);
	t.is(await said('pg_dump: broken pipe', refused('full', 'the repository is full')), 'the repository is full');
	t.is(await said('one', refused('failed', 'another')), 'one: another');
});
