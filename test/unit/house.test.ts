/** The house: one file owns each outside thing. */
import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';

const ownedPackages: Record<string, RegExp> = {
	dockerode: /^docker\/engine\.ts$/,
	'node-schedule': /^agent\/schedule\/schedule\.ts$/,
	'prom-client': /^agent\/metrics\/[a-z-]+\.ts$/,
	nodemailer: /^agent\/notify\/mail\.ts$/,
	execa: /^base\/here\.ts$/,
	'@slack/bolt': /^bot\/(?:slack|http|deliveries)\.ts$/,
	pino: /^base\/log\.ts$/,
	'node:sqlite': /^agent\/(?:state\/[a-z-]+|sources\/sqlite\/[a-z-]+\.program)\.ts$/,
};

const sources = ['agent', 'base', 'bot', 'docker'].flatMap(folder => {
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
