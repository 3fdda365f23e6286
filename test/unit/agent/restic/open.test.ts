import test from 'ava';
import {ensureRepository} from '../../../../agent/restic/open.ts';
import {RepositoryError, type RepositoryProblem} from '../../../../base/errors.ts';

const fake = (first: string | RepositoryProblem, {isProblem = false} = {}) => {
	const calls: string[] = [];
	let id = first;
	return {
		calls,
		restic: {
			async id() {
				calls.push('id');
				if (isProblem && id === first) {
					throw new RepositoryError(first as RepositoryProblem, 'opening: repository `primary` (/r) does not exist');
				}

				return id;
			},
			async init() {
				calls.push('init');
				id = 'new';
			},
		},
	};
};

test('an existing repository is opened', async t => {
	const {restic, calls} = fake('id1');
	t.is(await ensureRepository({restic, knownId: undefined, allowInit: true}), 'id1');
	t.is(await ensureRepository({restic, knownId: 'id1', allowInit: true}), 'id1');
	t.deepEqual(calls, ['id', 'id']);
});

test('another repository than before is refused', async t => {
	const {restic, calls} = fake('id2');
	const error = await t.throwsAsync(ensureRepository({restic, knownId: 'id1', allowInit: true}), {
		instanceOf: RepositoryError,
		message: /Another repository/,
	});
	t.is(error?.problem, 'failed');
	t.false(calls.includes('init'));
});

test('a repository is made only where none was known', async t => {
	const fresh = fake('missing', {isProblem: true});
	t.is(await ensureRepository({restic: fresh.restic, knownId: undefined, allowInit: true}), 'new');
	const known = fake('missing', {isProblem: true});
	const error = await t.throwsAsync(ensureRepository({restic: known.restic, knownId: 'id1', allowInit: true}), {
		instanceOf: RepositoryError,
		message: /id1, and is gone/,
	});
	t.is(error?.problem, 'missing');
	t.deepEqual(known.calls, ['id']);
	const forbidden = fake('missing', {isProblem: true});
	await t.throwsAsync(ensureRepository({restic: forbidden.restic, knownId: undefined, allowInit: false}), {instanceOf: RepositoryError});
	t.deepEqual(forbidden.calls, ['id']);
});

for (const problem of ['wrong-password', 'unreachable', 'locked', 'failed'] as const) {
	test(`nothing is made when the repository is ${problem}`, async t => {
		const {restic, calls} = fake(problem, {isProblem: true});
		await t.throwsAsync(ensureRepository({restic, knownId: undefined, allowInit: true}), {instanceOf: RepositoryError});
		t.deepEqual(calls, ['id']);
	});
}

test('one that cannot be opened right after it was made is said to be made by several at once', async t => {
	let isMade = false;
	const restic = {
		async id(): Promise<string> {
			throw isMade
				? new RepositoryError('failed', 'opening: config or key 91f4aaaa is damaged: ciphertext verification failed')
				: new RepositoryError('missing', 'there is none');
		},
		async init() {
			isMade = true;
		},
	};
	const error = await t.throwsAsync(ensureRepository({restic, knownId: undefined, allowInit: true}), {
		instanceOf: RepositoryError,
		message: /ciphertext verification failed; it was made a moment ago/,
	});
	t.regex(String((error as {hint?: string}).hint), /let one agent make it before the others start/);
});

test('one that another agent makes meanwhile is waited for; one that nobody goes on with says what is left of it', async t => {
	let looks = 0;
	const missing = () => new RepositoryError('missing', 'opening: repository `primary` (/r) does not exist');
	const restic = {
		async id(): Promise<string> {
			looks += 1;
			if (looks < 3) {
				throw missing();
			}

			return 'theirs';
		},
		async init() {
			throw new RepositoryError(
				'failed',
				'making a new repository: Fatal: create key in repository at /r failed: repository already contains keys',
			);
		},
	};
	const settled: boolean[] = [];
	const settle = async ({isMade}: {isMade: boolean}) => {
		settled.push(isMade);
		return 'theirs';
	};
	t.is(await ensureRepository({restic, settle, knownId: undefined, allowInit: true}), 'theirs');
	t.deepEqual(settled, [false]);
	const left = {
		...restic,
		async id(): Promise<string> {
			throw missing();
		},
	};
	const error = await t.throwsAsync(ensureRepository({restic: left, knownId: undefined, allowInit: true, waitMs: 0}), {
		message: /already contains keys/,
	});
	t.regex(String((error as {hint?: string}).hint), /remove its folder `keys`/);
});
