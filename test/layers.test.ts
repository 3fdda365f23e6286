/** The house of DESIGN.md: imports point only to the right, and one file owns each outside thing. */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, normalize} from 'node:path';
import test from 'ava';

const layers: ReadonlyArray<readonly RegExp[]> = [
	[/^agent\/(?:main|daemon)\.ts$/, /^agent\/cli\//, /^agent\/api\//, /^bot\//],
	[
		/^agent\/(?:agent|backups|shapes|runs|turns|survey|recover|recover-restores|restores|drills|copying|archives|notify|expire|views|doctor|schedule|due|timetable|observe|metrics|expected|unprotected)\.ts$/,
		/^agent\/(?:metrics|doctor)\//,
		/^agent\/notify\//,
		/^agent\/(?:maintenance|inventory|upkeep)\.ts$/,
	],
	[
		/^agent\/(?:backup|crew|describe|moment|restore|restore-plan|preflight|restore-check|restore-from|restore-journal|restore-together|restore-choice|restore-places|restore-room|restore-run|restore-stops|roll-back|undo|undo-plan|replacements|drill|drill-plan|retention|copies|export|import|receive|sweep|locks|points|previous|repository|repositories)\.ts$/,
		/^agent\/(?:keep-policy|copy-policy|shrink|forgetting)\.ts$/,
	],
	[/^agent\/(?:plan|manifest|once|state)\.ts$/, /^agent\/(?:plan|portable|sources|restic|state)\//],
	[/^docker\//],
	[
		/^agent\/(?:config|config-file|config-copies|config-notify|config-slack|config-values|environment|restic-environment|clock|secrets|events|audit|errors|command|here|tail|ids|log|redact)\.ts$/,
		/^agent\/reading\//,
	],
];

/** What a layer may name of a layer to its left: types of the words that are defined there. */
const ownedPackages: Record<string, RegExp> = {
	dockerode: /^docker\/engine\.ts$/,
	'node-schedule': /^agent\/schedule\.ts$/,
	'prom-client': /^agent\/metrics(?:\/[a-z-]+)?\.ts$/,
	nodemailer: /^agent\/notify\/mail\.ts$/,
	execa: /^agent\/here\.ts$/,
	'@slack/bolt': /^bot\/(?:slack|http|deliveries)\.ts$/,
	pino: /^agent\/log\.ts$/,
	'node:sqlite': /^agent\/(?:state|state\/[a-z-]+|sources\/sqlite-session|sources\/sqlite-[a-z-]+)\.ts$/,
};

const sources = ['agent', 'bot', 'docker'].flatMap(folder => {
	try {
		return readdirSync(folder, {recursive: true, encoding: 'utf8'})
			.filter(file => file.endsWith('.ts'))
			.map(file => `${folder}/${file}`);
	} catch {
		return [];
	}
});

const importLine =
	/^(?:import|export)\s(?<typeOnly>type\s)?[^'"]*?from\s+'(?<from>[^']+)'|^import\s+'(?<bare>[^']+)'|import\('(?<dynamic>[^']+)'\)/gm;

const importsOf = (file: string) =>
	[...readFileSync(file, 'utf8').matchAll(importLine)].map(({groups}) => ({
		from: groups?.from ?? groups?.bare ?? groups?.dynamic ?? '',
		typeOnly: groups?.typeOnly !== undefined,
	}));

const layerOf = (file: string) => layers.findIndex(patterns => patterns.some(pattern => pattern.test(file)));

test('every file belongs to a layer', t => {
	t.true(sources.length > 40);
	t.deepEqual(
		sources.filter(file => layerOf(file) === -1),
		[],
	);
});

test('imports point only to the right', t => {
	const wrong = sources.flatMap(file =>
		importsOf(file)
			.filter(({from, typeOnly}) => from.startsWith('.') && !typeOnly)
			.map(({from}) => normalize(`${dirname(file)}/${from}`))
			.filter(imported => layerOf(imported) < layerOf(file))
			.map(imported => `${file} → ${imported}`),
	);
	t.deepEqual(wrong, []);
});

for (const [name, owner] of Object.entries(ownedPackages)) {
	test(`${name} is imported only by its owner`, t => {
		const importers = sources.filter(file => importsOf(file).some(({from}) => from === name));
		t.true(importers.length > 0);
		t.deepEqual(
			importers.filter(file => !owner.test(file)),
			[],
		);
	});
}
