import {createHash} from 'node:crypto';
import {mkdir, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {quickKeyOf} from '../../../../agent/restic/quick-key.ts';
import {temporaryFolder} from '../../../support/temporary-folder.ts';

/** As restic 0.19.1 made it, for the password `correct-horse`. */
const slow = `{"created":"2026-11-29T17:19:02.314793907Z","username":"root","hostname":"d3081849283a","kdf":"scrypt","N":32768,"r":8,"p":9,"salt":"aynlv2PiQYkJRJQYcFhrxr4SJZ16SUKyYO3CbFtRGEVxts/SXW5adV5mnGVJw7JpUQiWWSha9ilkqWfXcV9uCQ==","data":"BEf1bOwV9tZrLzJtvn7/1x7HLrd6RnOdw+70P0xeRMSzedmgyZtC97w5RpqQ5hGaEQgk437+GoqvOr4QGo3FHG0qsfYK2zMMbUaoJDqYAsw30TGi8gN/gD0O9iI37rh2/PG7ntJux5Pgb/HPk6UzKB5iuFfpIKuLssl+3M45bJkB19XCYKVhZxZ9MvJr7kam2x3mVoeGZ25PlxENwm4obA=="}`;
const slowId = createHash('sha256').update(slow).digest('hex');

async function scene(t: ExecutionContext) {
	const folder = temporaryFolder(t);
	const keys = join(folder, 'keys');
	await mkdir(keys);
	await writeFile(join(keys, slowId), slow, {mode: 0o400});
	const keyOf = (password: string, isPasswordGenerated = true) => {
		const made = quickKeyOf({location: folder, env: {RESTIC_PASSWORD: password}, isPasswordGenerated}, join(folder, 'record'));
		if (made === undefined) {
			throw new Error('a folder has one');
		}

		return made;
	};
	return {keys, keyOf, others: async () => (await readdir(keys)).filter(name => name !== slowId)};
}

test('one is made once, whole, shown as holdfast, and found again', async t => {
	const {keys, keyOf, others} = await scene(t);
	const key = keyOf('correct-horse');
	await key.find();
	t.is(key.hint(), undefined);
	await key.ensure();
	const [id = '', ...more] = await others();
	t.deepEqual(more, []);
	t.is(key.hint(), id);
	const file = await readFile(join(keys, id));
	t.is(createHash('sha256').update(file).digest('hex'), id);
	t.like(JSON.parse(file.toString()), {username: 'holdfast', kdf: 'scrypt', N: 2, r: 1, p: 1});
	t.is((await stat(join(keys, id))).mode & 0o777, 0o400);

	const later = keyOf('correct-horse');
	await later.find();
	t.is(later.hint(), id);
	await later.ensure();
	t.deepEqual(await others(), [id]);
});

test('for a password that a person chose none is made', async t => {
	const {keyOf, others} = await scene(t);
	const key = keyOf('correct-horse', false);
	await key.find();
	await key.ensure();
	t.is(key.hint(), undefined);
	t.deepEqual(await others(), []);
});

test('a wrong password makes none, and one that opens nothing is no hint', async t => {
	const {keyOf, others} = await scene(t);
	const wrong = keyOf('wrong');
	await wrong.ensure();
	t.deepEqual(await others(), []);
	await keyOf('correct-horse').ensure();
	await wrong.find();
	t.is(wrong.hint(), undefined);
});

test('with another password it goes, and only the one that was made here', async t => {
	const {keys, keyOf, others} = await scene(t);
	await keyOf('correct-horse').ensure();
	const [made = ''] = await others();
	const foreign = (await readFile(join(keys, made), 'utf8')).replace('"created":"', '"created":"0');
	const foreignId = createHash('sha256').update(foreign).digest('hex');
	await writeFile(join(keys, foreignId), foreign);
	await keyOf('another', false).ensure();
	t.deepEqual(await others(), [foreignId]);
});

test('a folder that is read-only or gone, and files that are no keys, are no failure', async t => {
	const {keys, keyOf, others} = await scene(t);
	await writeFile(join(keys, 'f'.repeat(64)), 'no key');
	const key = keyOf('correct-horse');
	await key.ensure();
	t.is((await others()).length, 2);
	await rm(keys, {recursive: true});
	await key.find();
	await key.ensure();
	t.is(key.hint(), undefined);
	await writeFile(keys, '');
	await key.ensure();
	t.is(key.hint(), undefined);
});

test('only a folder has one', t => {
	t.truthy(quickKeyOf({location: 'local:/repository', env: {RESTIC_PASSWORD: 'x'}}, '/record'));
	t.is(quickKeyOf({location: 'rest:http://server/', env: {RESTIC_PASSWORD: 'x'}}, '/record'), undefined);
	t.is(quickKeyOf({location: '/repository', env: {}}, '/record'), undefined);
});
