/** Every command that README.md and docs/ show is run by a test, or says that it is not. */
import {readdirSync, readFileSync} from 'node:fs';
import {PassThrough} from 'node:stream';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {runCli} from '../../agent/cli/run.ts';
import {blocks, pageOf, sectionsOf} from '../support/stack/runbook.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(`${top}${file}`, 'utf8');

const docs = readdirSync(`${top}docs`, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.md'));
const pages = ['README.md', ...docs.map(name => `docs/${name}`)];

const notRun = 'not run by a test';

/** Without comments; a block that says that it is not run has none. */
const shownIn = (text: string): string[] =>
	blocks(text, 'sh')
		.filter(block => !block.startsWith(`# ${notRun}`))
		.flatMap(block => block.split('\n'))
		.map(line => line.replace(/(?:^|\s+)#.*$/, ''))
		.filter(Boolean);

/** Pages that a test on a real engine follows word for word, and which. */
const followed: Readonly<Record<string, string>> = {
	README: 'test/night/systems/readme.night.test.ts',
	'open-webui': 'test/night/systems/systems.night.test.ts',
	bytebase: 'test/night/systems/systems.night.test.ts',
	mendix: 'test/night/systems/systems.night.test.ts',
	promscale: 'test/night/systems/systems.night.test.ts',
	camunda: 'test/night/systems/systems.night.test.ts',
	nextcloud: 'test/night/systems/nextcloud.night.test.ts',
	immich: 'test/night/systems/immich.night.test.ts',
	paperless: 'test/night/systems/one-folder.night.test.ts',
	vaultwarden: 'test/night/systems/one-folder.night.test.ts',
};

/** What is no command of Holdfast: the test that runs it, and where that shows in the test. */
const runElsewhere: ReadonlyArray<readonly [RegExp, string, string]> = [
	[/^npm run demo$/, 'test/night/systems/example.night.test.ts', 'example/demo.ts'],
	// The tests themselves
	[/^npm test$/, 'package.json', '"test": "node test/support/start.mjs test/support/run.ts"'],
	[/^docker compose up -d$/, 'test/night/systems/readme.night.test.ts', "'up -d'"],
	[/--profile monitoring up -d$/, 'test/night/systems/example.night.test.ts', "'prometheus', 'alertmanager'"],
	[
		/^promtool test rules monitoring\/prometheus\/rules\.test\.yml$/,
		'test/night/monitoring/monitoring.night.test.ts',
		"'promtool', 'test', 'rules'",
	],
	[/^mkdir -m 700 slack$/, 'test/night/systems/example.night.test.ts', "join(folder, 'bot-token')"],
	[/exec -T holdfast cat \/state\/api-token >slack\/api-token$/, 'test/night/systems/example.night.test.ts', "'cat', '/state/api-token'"],
	[/--profile slack up -d$/, 'test/night/systems/example.night.test.ts', "'--no-deps', 'slack'"],
];

const holdfastLine = /^(?:docker compose exec (?:-T )?holdfast )?holdfast (?<args>.*)$/;

/** Runs the real command line as far as the agent's door. */
async function knock(line: string): Promise<{code: number; out: string; err: string}> {
	const argv = line
		.split(/\s+/)
		.filter(word => !/^[<>]/.test(word))
		.map(word => word.replaceAll('…', ''));
	const stdin = Object.assign(new PassThrough(), {isTTY: !line.includes('<')});
	const [stdout, stderr] = [new PassThrough(), new PassThrough()];
	let [out, err] = ['', ''];
	stdout.on('data', part => {
		out += part;
	});
	stderr.on('data', part => {
		err += part;
	});
	const code = await runCli(argv.filter(Boolean), {
		connect() {
			throw new Error('at the door');
		},
		connectFleet: async () => undefined,
		startAgent: async () => 0,
		startBot: async () => 0,
		version: '1',
		stdin,
		stdout,
		stderr,
		interrupted: new AbortController().signal,
		now: () => 0,
	});
	return {code, out, err};
}

const inlineIn = (text: string): string[] =>
	[...text.matchAll(/`(holdfast [a-z][^`]*)`/g)].map(([, line = '']) => line.replaceAll('\n', ' '));

test('each command of Holdfast that a page shows gets as far as the agent', async t => {
	let count = 0;
	for (const page of pages) {
		const lines = [...shownIn(read(page)), ...inlineIn(read(page))].flatMap(line => holdfastLine.exec(line)?.groups?.args ?? []);
		for (const line of lines.filter(args => !/^bot\b/.test(args))) {
			const {code, err} = await knock(line);
			t.is(`${code} ${err.trim()}`, '1 error: at the door', `${page}: holdfast ${line}`);
			count++;
		}
	}

	t.true(count > 60, `${count} commands`);
});

test('each example of each `--help` gets as far as the agent', async t => {
	const {out} = await knock('--help');
	const names = [...out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name).filter(name => name !== 'help');
	t.true(names.length > 28, `${names.length} commands`);
	for (const name of [...names, 'restore undo', 'restore finish', 'fleet status']) {
		const help = (await knock(`${name} --help`)).out;
		const lines = [...help.matchAll(/^ {2}\$ .*?\bholdfast (?!holdfast)(.+)$/gm)].map(([, line = '']) => line.replace(/ [|>].*$|\)$/, ''));
		t.true(lines.length > 0, `${name} has no example`);
		for (const line of lines) {
			const {code, err} = await knock(line.replaceAll("'", '').replace('/backup/db.backup', 'package.json'));
			const isAlone = /^(?:agent|bot|version|completion|fleet)\b/.test(line);
			t.regex(isAlone ? `${code} ` : `${code} ${err.trim()}`, isAlone ? /^[01] $/ : /^1 (?:error: )?at the door$/, line);
		}
	}
});

/** What messages tell people to run. */
test('each command that a message names gets as far as the agent', async t => {
	let count = 0;
	const wrong: string[] = [];
	const folders = ['agent', 'base', 'bot', 'docker', 'monitoring'];
	for (const file of folders.flatMap(folder =>
		readdirSync(`${top}${folder}`, {recursive: true, encoding: 'utf8'})
			.filter(name => name.endsWith('.ts'))
			.map(name => `${folder}/${name}`),
	)) {
		// Between backticks in a text, escaped where the text is a template; or behind a colon, to its end.
		for (const [, quoted, atEnd] of read(file).matchAll(/\\?`holdfast ([a-z][^`\n]*?)\\?`(?=[^)])|: holdfast ([a-z][^`'"\n]*)[`'"]/g)) {
			const line = (quoted ?? (atEnd ?? '').replace(/[;,].*$/, ''))
				.replace(/ \|.*$/, '')
				.replaceAll(/\$\{[^{}]*\}|\{\{[^}]*\}\}|\bID\b|\bNEW\b/g, 'shop/app')
				.replaceAll(/<[^>]*>/g, '')
				.replaceAll("'", '');
			const {code, err} = await knock(line);
			// A command that is named, not shown, says itself what it lacks.
			const isNamed = /^[a-z]+(?: undo| finish)?$/.test(line) && /missing required argument/.test(err);
			const isAlone = /^(?:agent|bot|version|completion|fleet)\b/.test(line);
			if (!isNamed && !isAlone && `${code} ${err.trim()}` !== '1 error: at the door') {
				wrong.push(`${file}: holdfast ${line}: ${code} ${err.trim()}`);
			}

			count++;
		}
	}

	t.deepEqual(wrong, []);
	t.true(count > 40, `${count} commands`);
});

test('each other command that a page shows is run by a test, or says that it is not', t => {
	const isFollowed = (page: string) => page !== 'README.md' && Object.keys(followed).some(name => page === pageOf(name));
	for (const page of pages.filter(each => !isFollowed(each))) {
		for (const line of shownIn(read(page)).filter(each => !holdfastLine.test(each))) {
			const [, file, proof] = runElsewhere.find(([pattern]) => pattern.test(line)) ?? [];
			t.true(
				file !== undefined && proof !== undefined && read(file).includes(proof),
				`${page}: ${line}: name the test that runs it, or begin the block with \`# ${notRun}\``,
			);
		}
	}
});

for (const [name, file] of Object.entries(followed)) {
	test(`${file} follows each part of ${pageOf(name)} that has commands`, t => {
		const source = read(file);
		const begin = source.indexOf(`openRunbook(t, '${name}'`);
		t.not(begin, -1);
		const end = source.indexOf('openRunbook(t, ', begin + 1);
		const body = source.slice(begin, end === -1 ? undefined : end);
		const isElsewhere = (section: string) => shownIn(section).every(line => runElsewhere.some(([pattern]) => pattern.test(line)));
		for (const [heading, section] of sectionsOf(read(pageOf(name)))) {
			t.true(isElsewhere(section) || body.includes(`follow('${heading}'`), heading);
		}
	});
}
