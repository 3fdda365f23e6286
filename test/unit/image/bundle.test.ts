import {existsSync, globSync, readdirSync, readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import {execa} from 'execa';

const test = anyTest as TestFn<{folder: string}>;

test.before(async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-bundle-'));
	await execa(process.execPath, ['image/bundle.mjs', folder]);
	t.context = {folder};
});

test.after.always(async t => rm(t.context.folder, {recursive: true, force: true}));

const run = async (file: string, ...args: string[]) =>
	execa(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
		reject: false,
		extendEnv: false,
		env: {HOLDFAST_LOG_LEVEL: 'debug', HOLDFAST_API_TOKEN: 'short'},
	});

test('the command line runs without any package', async t => {
	const {version} = JSON.parse(readFileSync('package.json', 'utf8')) as {version: string};
	t.like(await run(join(t.context.folder, 'agent/main.js'), 'version'), {stdout: version, exitCode: 0, stderr: ''});
});

test('everything that is loaded later loads', async t => {
	for (const file of ['agent/daemon.js', 'bot/bot.js', 'bot/server.js']) {
		t.like(await run('--input-type=module', '--eval', `await import(${JSON.stringify(join(t.context.folder, file))})`), {
			exitCode: 0,
			stderr: '',
		});
	}

	const parts = readdirSync(join(t.context.folder, 'parts'));
	t.true(parts.some(file => file.startsWith('nodemailer')));
	const {stdout} = await run(
		'--print',
		`Object.keys(require(${JSON.stringify(join(t.context.folder, 'packages/yaml.cjs'))})).includes('parseDocument')`,
	);
	t.is(stdout, 'true');
});

test('an agent at rest has loaded neither fetch nor the page, and no language of zod but one', async t => {
	const daemon = JSON.stringify(join(t.context.folder, 'agent/daemon.js'));
	const {stdout, stderr} = await run(
		'--input-type=module',
		'--eval',
		`await import(${daemon}); console.log(process.moduleLoadList.filter(name => /undici|http2|webcrypto/.test(name)).join())`,
	);
	t.is(stderr, '');
	t.is(stdout, '');
	const texts = globSync('{agent,parts}/**/*.js', {cwd: t.context.folder}).map(file => readFileSync(join(t.context.folder, file), 'utf8'));
	t.true(texts.some(text => text.includes('Invalid input')));
	t.false(texts.some(text => text.includes('Eingabe')));
});

test('each program of a worker is where its caller looks for it', t => {
	for (const file of globSync('agent/sources/**/*.program.ts')) {
		t.true(existsSync(join(t.context.folder, file.replace(/ts$/, 'js'))), file);
	}
});

test('a stack names the sources', async t => {
	const {stderr} = await run(join(t.context.folder, 'agent/main.js'), 'status');
	t.regex(stderr, /at loadConfig \(agent\/config\/config\.ts:\d+:\d+\)/);
	t.notRegex(stderr, /holdfast-bundle-/);
});

test('the licences of all that is in it are beside it', t => {
	const licences = readFileSync(join(t.context.folder, 'THIRD-PARTY-LICENSES'), 'utf8');
	t.true(licences.split(/^==== /m).length > 50);
	for (const name of ['zod', 'commander', 'dockerode', '@slack/bolt', 'yaml']) {
		t.regex(licences, new RegExp(`^==== ${name} \\d`, 'm'));
	}
});
