import {readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {loadConfig, withKeptSecrets} from '../../../../agent/config/config.ts';
import {ensureApiToken, ensurePassword, isGenerated} from '../../../../agent/config/secrets.ts';
import {temporaryFolder} from '../../../support/temporary-folder.ts';

const directory = async (t: ExecutionContext) => {
	const path = temporaryFolder(t);
	return path;
};

test('a password is made once, for its owner only, and no draft is left', async t => {
	const state = await directory(t);
	const made = ensurePassword(state);
	t.true(made.isNew);
	t.regex(made.value, /^[\w-]{43}$/);
	t.deepEqual(ensurePassword(state), {...made, isNew: false});
	t.is((await stat(made.path)).mode & 0o777, 0o600);
	t.is((await readFile(made.path, 'utf8')).trim(), made.value);
	t.deepEqual(await readdir(state), ['repository-password']);
	t.not(ensureApiToken(state).value, made.value);
});

test('a password that a person put into the file is told from one that was made', async t => {
	for (let made = 0; made < 50; made++) {
		const state = await directory(t);
		t.true(isGenerated(ensurePassword(state).value));
	}

	for (const chosen of [
		'',
		'secret',
		'correct horse battery staple, and a little longer',
		'a'.repeat(43),
		'abcdefg'.repeat(7).slice(0, 43),
	]) {
		t.false(isGenerated(chosen));
	}

	const state = await directory(t);
	await writeFile(join(state, 'repository-password'), 'chosen\n');
	const {repository} = withKeptSecrets(loadConfig({}, {stateDirectory: state}), () => {});
	t.like(repository, {env: {RESTIC_PASSWORD: 'chosen'}, isPasswordGenerated: false});
});

test('a draft that a crash left does no harm', async t => {
	const state = await directory(t);
	await writeFile(join(state, 'repository-password.0badcafe.new'), 'hal');
	t.is(ensurePassword(state).value.length, 43);
});

test('a file that is empty or cannot be read is never replaced', async t => {
	const state = await directory(t);
	await writeFile(join(state, 'repository-password'), '\n');
	t.throws(() => ensurePassword(state), {message: /repository-password.*empty/});
	t.is(await readFile(join(state, 'repository-password'), 'utf8'), '\n');
	await rm(join(state, 'repository-password'));
	t.throws(() => ensurePassword(join(state, 'missing')), {message: /missing/});
	await writeFile(join(state, 'file'), '');
	t.throws(() => ensurePassword(join(state, 'file')), {message: /cannot be read/});
});

test('a configuration without secrets gets kept ones, and people are told once', async t => {
	const config = loadConfig({}, {stateDirectory: await directory(t)});
	const told: string[] = [];
	const filled = withKeptSecrets(config, message => told.push(message));
	const password = filled.repository.env.RESTIC_PASSWORD ?? '';
	t.is(password.length, 43);
	t.deepEqual(filled.secrets, [password, filled.apiToken]);
	t.is(told.length, 2);
	t.regex(told[0] ?? '', /keep a copy of it elsewhere/);
	t.false(told.join().includes(password) || told.join().includes(filled.apiToken));
	t.deepEqual(
		withKeptSecrets(config, () => t.fail()),
		filled,
	);
});

test('secrets that are given are used, and none is made', async t => {
	const state = await directory(t);
	const config = loadConfig({RESTIC_PASSWORD: 'given', HOLDFAST_API_TOKEN: 'given-token-given'}, {stateDirectory: state});
	t.deepEqual(
		withKeptSecrets(config, () => t.fail()),
		config,
	);
	t.deepEqual(await readdir(state), []);
});
