import test from 'ava';
import {ConfigError, loadConfig} from '../../../../agent/config/config.ts';

const canary = 'canary-secret-value';
const usual = '/etc/holdfast/config.yml';

const secretFiles: Record<string, string> = {
	'/run/secrets/password': `${canary}\n`,
	'/run/secrets/nas.env': `# of the NAS\nAWS_ACCESS_KEY_ID=id-of-canary\nAWS_SECRET_ACCESS_KEY="${canary}-two"\n`,
};

const fail = (code: string) => {
	throw Object.assign(new Error(`${code}: ${canary}`), {code});
};

const load = (content: string, variables: Record<string, string> = {}, path = usual) =>
	loadConfig(variables, {readFile: asked => (asked === path ? content : (secretFiles[asked] ?? fail('ENOENT')))});

const problemsOf = (content: string, variables: Record<string, string> = {}): string[] => {
	const error = t(() => load(content, variables));
	return error instanceof ConfigError ? error.problems.map(({message, hint}) => (hint ? `${message} (${hint})` : message)) : [];
};

function t(attempt: () => unknown): unknown {
	try {
		return attempt();
	} catch (error) {
		return error;
	}
}

for (const [name, content] of [
	['no content', ''],
	['a comment', '# nothing yet\n'],
	['an empty section', 'copies:\n'],
	['an empty mapping', 'copies: {}\n'],
] as const) {
	test(`a file with ${name} is as good as none`, t => {
		t.deepEqual(load(content), loadConfig({}, {readFile: () => fail('ENOENT')}));
	});
}

test('reads every key of a copy', t => {
	const config = load(`
copies:
  offsite:
    repository: s3:https://s3.example.com/backups
    passwordFile: /run/secrets/password
    envFile: /run/secrets/nas.env
    env:
      AWS_DEFAULT_REGION: eu-central-1
      RESTIC_CACERT: /etc/holdfast/ca.pem
    schedule: '@weekly'
    keep: daily=7,weekly=4
    limitUpload: 2048
    limitDownload: 512
  nas:
    repository: sftp:backup@nas:/volume1/backups
    password: 0123
    options:
      sftp.args: -i /run/secrets/nas-key
`);
	t.deepEqual(config.copies, [
		{
			repository: {
				name: 'offsite',
				location: 's3:https://s3.example.com/backups',
				env: {
					AWS_ACCESS_KEY_ID: 'id-of-canary',
					AWS_SECRET_ACCESS_KEY: `${canary}-two`,
					AWS_DEFAULT_REGION: 'eu-central-1',
					RESTIC_CACERT: '/etc/holdfast/ca.pem',
					RESTIC_PASSWORD: canary,
				},
				options: undefined,
				access: undefined,
				cacheDirectory: '/cache',
			},
			schedule: '0 0 * * 0',
			keep: {daily: 7, weekly: 4},
			limitUpload: 2048,
			limitDownload: 512,
		},
		{
			repository: {
				name: 'nas',
				location: 'sftp:backup@nas:/volume1/backups',
				env: {RESTIC_PASSWORD: '0123'},
				options: {'sftp.args': '-i /run/secrets/nas-key'},
				access: undefined,
				cacheDirectory: '/cache',
			},
			schedule: '0 5 * * *',
			keep: undefined,
			limitUpload: undefined,
			limitDownload: undefined,
		},
	]);
	for (const secret of [canary, `${canary}-two`, 'id-of-canary', '0123']) {
		t.true(config.secrets.includes(secret));
	}
});

test('tells every problem at once, together with those of the environment: file, key, rule and the nearest known name', t => {
	const problems = problemsOf(
		`
copie: {}
copies:
  nas:
    repositry: /nas
    passwordFile: /run/secrets/missing
    schedule: nightly
    keep: last=0
    limitUpload: 1.5
  two words:
    repository: /other
    password: x
  primary:
    repository: /third
    password: x
`,
		{HOLDFAST_CONCURRENCY: 'many'},
	);
	const expected = [
		/^`HOLDFAST_CONCURRENCY` must be/,
		/^`\/etc\/holdfast\/config\.yml`: `copie` is not known \(did you mean `copies`\?\)/,
		/: `copies\.nas\.repositry` is not known \(did you mean `repository`\?\)/,
		/: `copies\.nas\.repository` is missing/,
		/: `copies\.nas\.schedule` must be a cron line.*got "nightly"/,
		/: `copies\.nas\.keep` must be .*got "last=0"/,
		/: `copies\.nas\.limitUpload` must be a whole number.*got "1\.5"/,
		/: `copies\.two words` is not a name: it must be/,
		/: `copies\.primary` is not a name: it must not be one of/,
	];
	t.is(problems.length, expected.length, problems.join('\n'));
	for (const pattern of expected) {
		t.true(
			problems.some(problem => pattern.test(problem)),
			`${pattern} in\n${problems.join('\n')}`,
		);
	}
});

const copy = (rest: string) => `copies:\n  nas:\n    repository: /nas\n${rest}`;

const wrong: Array<[name: string, content: string, problem: RegExp]> = [
	['no password', copy(''), /`copies\.nas` has no password .*passwordFile/],
	[
		'two passwords',
		copy(`    password: a\n    passwordFile: /run/secrets/password\n`),
		/`copies\.nas\.password` and `copies\.nas\.passwordFile` are both set/,
	],
	['an empty password', copy(`    password: ''\n`), /`copies\.nas\.password` is set and empty/],
	[
		'a missing file of the password',
		copy('    passwordFile: /gone\n'),
		/`copies\.nas\.passwordFile` must name a file that can be read, got "\/gone": ENOENT/,
	],
	[
		'a missing file of variables',
		copy('    password: x\n    envFile: /gone\n'),
		/`copies\.nas\.envFile` must name a file that can be read, got "\/gone": ENOENT/,
	],
	['a variable that nothing reads', copy('    password: x\n    env: {SECRET: a}\n'), /`copies\.nas\.env`: `SECRET` is no variable that/],
	[
		'the password as a variable',
		copy('    password: x\n    env: {RESTIC_PASSWORD_FILE: a}\n'),
		/`RESTIC_PASSWORD_FILE` is no variable .*give `repository` and `password`/,
	],
	[
		'a refused variable',
		copy('    password: x\n    env: {RESTIC_CACHE_DIR: a}\n'),
		/`copies\.nas\.env`: `RESTIC_CACHE_DIR` is not supported/,
	],
	['a list for a mapping', 'copies: [nas]\n', /`copies` must be a mapping/],
	['a mapping for a text', copy('    password: {a: b}\n'), /`copies\.nas\.password` must be one text/],
	[
		'an option that is none',
		copy('    password: x\n    options: {--help: x}\n'),
		/`copies\.nas\.options\.--help` is not a name: it must be an option/,
	],
	[
		'the repository of the primary',
		'copies:\n  nas:\n    repository: local:/repository/\n    password: x\n',
		/`copies\.nas\.repository` is the same as that of the primary/,
	],
	[
		'one repository twice',
		'copies:\n  nas: {repository: /a, password: x}\n  usb: {repository: /a/, password: x}\n',
		/`copies\.usb\.repository` is the same as that of `copies\.nas`/,
	],
	['a key twice', copy('    password: a\n    password: b\n'), /line 5, column 5 is not YAML \(duplicate key\)/],
	['no YAML', `copies: {nas: {password: ${canary}`, /line 1, column \d+ is not YAML/],
];
for (const [name, content, pattern] of wrong) {
	test(`refuses ${name}`, t => {
		const problems = problemsOf(content);
		t.is(problems.length, 1, problems.join('\n'));
		t.regex(problems[0] ?? '', pattern);
		t.true(problems[0]?.startsWith(`\`${usual}\`: `));
	});
}

test('credentials that differ from those of the primary repository are refused: restic has one set for both', t => {
	const content = copy('    password: x\n    env: {AWS_ACCESS_KEY_ID: b, AWS_DEFAULT_REGION: same, RESTIC_COMPRESSION: max}\n');
	const primary = {RESTIC_COMPRESSION: 'off', AWS_DEFAULT_REGION: 'same', RESTIC_PASSWORD: 'y'};
	t.deepEqual(problemsOf(content, primary), []);
	t.regex(problemsOf(content, {...primary, AWS_ACCESS_KEY_ID: 'a'}).join(), /`AWS_ACCESS_KEY_ID` differs from that of the primary/);
});

test('no problem holds a secret', t => {
	const problems = problemsOf(
		`copies:\n  nas:\n    repository: relative/${canary}\n    password: ${canary}\n    passwordFile: /gone\n    env: {AWS_SECRET_ACCESS_KEY: ${canary}, AWS_SECRET_ACCESS_KEY_FILE: /gone, X: ${canary}}\n`,
	);
	t.true(problems.length >= 1);
	t.notRegex(problems.join('\n'), /canary/);
});

test('HOLDFAST_CONFIG names another file, which must be there', t => {
	const elsewhere = {HOLDFAST_CONFIG: '/elsewhere.yml'};
	t.is(load('copies: {nas: {repository: /nas, password: x}}', elsewhere, '/elsewhere.yml').copies.length, 1);
	const refusal = (code: string, variables: Record<string, string>) =>
		t.throws(() => loadConfig(variables, {readFile: () => fail(code)}), {instanceOf: ConfigError}).message;
	t.regex(refusal('ENOENT', elsewhere), /file "\/elsewhere\.yml" cannot be read: ENOENT/);
	t.regex(refusal('EISDIR', {}), /"\/etc\/holdfast\/config\.yml" cannot be read: EISDIR \(Docker makes a folder/);
});
