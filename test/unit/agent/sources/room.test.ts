import {statfsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import test from 'ava';
import {roomProblems, type Writing} from '../../../../agent/sources/room.ts';
import {here} from '../../../../base/here.ts';

const folder = tmpdir();

const free = () => {
	const {bavail, bsize} = statfsSync(folder);
	return bavail * bsize;
};

const ask = async (...writings: ReadonlyArray<Omit<Writing, 'folder'>>) =>
	roomProblems(
		here,
		writings.map(writing => ({folder, ...writing})),
		new AbortController().signal,
	);

test('what fits at most is not looked at again', async t => {
	t.deepEqual(await ask(), []);
	t.deepEqual(await ask({source: 'volume:/data', atMost: 1, exactly: async () => t.fail('compared') as never}), []);
});

test('where it may not fit, what really differs counts', async t => {
	t.deepEqual(await ask({source: 'volume:/data', atMost: free() * 2, exactly: async () => 5}), []);
	const [problem = '', ...others] = await ask({source: 'volume:/data', atMost: free() * 2, exactly: async () => 1.5 * 2 ** 60});
	t.deepEqual(others, []);
	t.regex(
		problem,
		/^there is too little room for `volume:\/data`: 1610612736\.00 GiB are to be written, and its file system has \d+\.\d+ [GM]iB left$/,
	);
});

test('sources on one file system need room together', async t => {
	const half = {atMost: free() * 0.6};
	t.deepEqual(await ask({source: 'sqlite:/data/a.db', ...half}), []);
	const [problem = ''] = await ask({source: 'sqlite:/data/a.db', ...half}, {source: 'volume:/data', ...half});
	t.regex(problem, /for `sqlite:\/data\/a\.db` and `volume:\/data`: .* their file system has/);
});
