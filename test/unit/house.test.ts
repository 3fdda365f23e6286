/** The house: its folders import downwards, a kind of source is its own affair, and one file owns each outside thing. */
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path/posix';
import test from 'ava';
import {againstOrder, circles, type Import, imports, typeScriptIn} from '../support/house.ts';

const ownedPackages: Record<string, RegExp> = {
	dockerode: /^docker\/(?:calls\/[a-z]+|details)\.ts$/,
	'node-schedule': /^agent\/schedule\/schedule\.ts$/,
	'prom-client': /^agent\/metrics\/[a-z-]+\.ts$/,
	nodemailer: /^agent\/notify\/mail\.ts$/,
	execa: /^base\/here\.ts$/,
	'@slack/bolt': /^bot\/(?:slack|http|deliveries)\.ts$/,
	'node:readline': /^agent\/sources\/sqlite\/session\.program\.ts$/,
	'cron-parser': /^base\/cron\.ts$/,
	luxon: /^base\/cron\.ts$/,
	pino: /^base\/log\.ts$/,
	'node:sqlite': /^agent\/(?:state\/[a-z-]+|sources\/sqlite\/[a-z-]+\.program)\.ts$/,
};

for (const [name, owner] of Object.entries(ownedPackages)) {
	test(`${name} is imported only by its owner`, t => {
		const importers = imports.filter(({from}) => from === name).map(({file}) => file);
		t.true(importers.length > 0);
		t.deepEqual(
			importers.filter(file => !owner.test(file)),
			[],
		);
	});
}

test('folders import from those below them, types included', t => {
	t.deepEqual(againstOrder(), []);
});

test('no file needs itself, types included', t => {
	t.deepEqual(circles(), []);
});

const shown = (wrong: readonly Import[]): string[] => wrong.map(({file, from}) => `${file} → ${from}`);

const kindOf = (file: string): string | undefined => /^agent\/sources\/([a-z]+)\//.exec(file)?.[1];

// A portable archive is one Postgres dump and the files of one volume: that is its format.
const mayNameKinds = /^agent\/(?:sources\/kinds\.ts$|archive\/)/;

test('a kind of source is imported by the table of kinds only, and by its own files', t => {
	const foreign = imports.filter(({file, from}) => kindOf(from) !== undefined && kindOf(from) !== kindOf(file) && !mayNameKinds.test(file));
	t.deepEqual(shown(foreign), []);
});

test('programs of workers need nothing but Node, each other and a few small files: they run without the agent', t => {
	const allowed = /^node:|\.program\.ts$|^base\/owners\.ts$|^agent\/sources\/(?:beside|kept-names|patterns|volume\/trees)\.ts$/;
	const own = imports.filter(({file}) => allowed.test(file));
	t.true(own.length > 0);
	t.deepEqual(shown(own.filter(({from}) => !allowed.test(from))), []);
});

test('the bot and the command line speak to the agent by its API', t => {
	const allowed: Record<string, RegExp> = {
		'bot/': /^(?:bot\/|agent\/api\/|base\/|agent\/config\/(?:agents|slack|values)\.ts$)/,
		'agent/cli/': /^agent\/(?:cli|api)\/|^base\//,
	};
	for (const [folder, those] of Object.entries(allowed)) {
		const wrong = imports.filter(({file, from}) => file.startsWith(folder) && from.endsWith('.ts') && !those.test(from));
		t.deepEqual(shown(wrong), []);
	}
});

const everything = typeScriptIn('agent', 'base', 'bot', 'docker', 'example', 'monitoring', 'test');

const comment = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;

test('every file that a comment names is there', t => {
	const isThere = (file: string, named: string): boolean =>
		existsSync(normalize(join(dirname(file), named))) || existsSync(named) || everything.some(path => path.endsWith(`/${named}`));
	const missing = everything.flatMap(file =>
		[...readFileSync(file, 'utf8').matchAll(comment)]
			.flatMap(([text]) => text.match(/[\w./-]*\w\.ts\b/g) ?? [])
			.filter(named => !isThere(file, named))
			.map(named => `${file} names ${named}`),
	);
	t.deepEqual(missing, []);
});

test('a unit test that makes a temporary folder removes it', t => {
	const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
	const left = typeScriptIn('test/unit').filter(file => {
		const text = readFileSync(file, 'utf8');
		return count(text, /\bmkdtemp(?:Sync)?\(/g) > count(text, /\brm(?:Sync)?\([\w.]+, \{recursive: true/g);
	});
	t.deepEqual(left, [], '`temporaryFolder` of test/support/temporary-folder.ts is removed by itself');
});
