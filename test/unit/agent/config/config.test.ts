import test from 'ava';
import {ConfigError, loadConfig} from '../../../../agent/config/config.ts';
import {explain} from '../../../../base/errors.ts';

const canary = 'canary-secret-value';

const files: Record<string, string> = {
	'/run/secrets/canary': `\n ${canary} \r\n`,
	'/run/secrets/empty': ' \n',
	'/run/secrets/repository': '/backups\n',
};

const load = (variables: Record<string, string | undefined>) =>
	loadConfig(variables, {
		readFile(path) {
			const content = files[path];
			if (content === undefined) {
				throw Object.assign(new Error(`ENOENT: ${canary}`), {code: 'ENOENT'});
			}

			return content;
		},
	});

const problemsOf = (variables: Record<string, string | undefined>): string[] => {
	try {
		load(variables);
	} catch (error) {
		if (error instanceof ConfigError) {
			return error.problems.map(({message, hint}) => (hint ? `${message} (${hint})` : message));
		}

		throw error;
	}

	return [];
};

test('needs no variable at all', t => {
	t.deepEqual(load({}), {
		host: undefined,
		projects: undefined,
		auto: [],
		schedule: '0 3 * * *',
		keep: undefined,
		timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
		shrinkLimit: 0.5,
		pruneSchedule: '30 4 * * 0',
		checkSchedule: '30 5 * * 0',
		checkParts: 13,
		concurrency: 2,
		stallLimitMs: 30 * 60_000,
		keepReplacedMs: 72 * 3_600_000,
		restoreMarginBytes: 2.25 * 1024 ** 3,
		importLimitBytes: 100e9,
		listen: {host: undefined, port: 9797},
		apiToken: '',
		engineAddress: 'unix:///var/run/docker.sock',
		engineKeys: undefined,
		lockTimeoutMs: 600_000,
		logLevel: 'info',
		labelPrefix: 'holdfast.',
		labelDialects: [],
		image: undefined,
		container: undefined,
		workerLimits: {memoryBytes: undefined, cpus: undefined},
		repository: {
			name: 'primary',
			location: '/repository',
			env: {},
			access: undefined,
			limitUpload: undefined,
			limitDownload: undefined,
			cacheDirectory: '/cache',
		},
		copies: [],
		notify: {wanted: ['failed', 'partial'], pingUrl: undefined, webhook: undefined, mail: undefined},
		stateDirectory: '/state',
		slack: undefined,
		agents: [],
		secrets: [],
	});
});

test('reads every variable', t => {
	const config = load({
		HOLDFAST_HOST: 'web-1.example',
		HOLDFAST_PROJECTS: 'app, shop_2',
		HOLDFAST_AUTO: 'shop_2',
		HOLDFAST_SCHEDULE: '@daily',
		HOLDFAST_KEEP: 'last=3,within=30d',
		TZ: 'Europe/Berlin',
		HOLDFAST_CONCURRENCY: '32',
		HOLDFAST_LISTEN: '[::1]:80',
		HOLDFAST_API_TOKEN: 'token-token-token',
		DOCKER_HOST: 'tcp://proxy:2375',
		HOLDFAST_LOG_LEVEL: 'warning',
		HOLDFAST_LABEL_PREFIX: 'backup.example.',
		HOLDFAST_LABEL_DIALECTS: 'offen, stack-back',
		HOLDFAST_IMAGE: 'registry.example:5000/holdfast@sha256:0a',
		HOLDFAST_SLACK_CHANNEL: 'C0BACKUPS',
		PATH: '/usr/bin',
	});
	t.like(config, {
		host: 'web-1.example',
		auto: ['shop_2'],
		projects: ['app', 'shop_2'],
		schedule: '0 0 * * *',
		keep: {last: 3, within: '30d'},
		timeZone: 'Europe/Berlin',
		concurrency: 32,
		listen: {host: '::1', port: 80},
		apiToken: 'token-token-token',
		engineAddress: 'tcp://proxy:2375',
		logLevel: 'warning',
		labelPrefix: 'backup.example.',
		image: 'registry.example:5000/holdfast@sha256:0a',
		secrets: ['token-token-token'],
	});
	t.deepEqual(config.repository.env, {});
});

test('an empty variable is one that is not set', t => {
	t.deepEqual(load({HOLDFAST_HOST: '', HOLDFAST_KEEP: '', HOLDFAST_CONCURRENCY: '', TZ: '', AWS_DEFAULT_REGION: ''}), load({}));
});

const listens: Array<[string, string | undefined, number]> = [
	[':9797', undefined, 9797],
	['127.0.0.1:1', '127.0.0.1', 1],
	['[::1]:65535', '::1', 65_535],
	['localhost:80', 'localhost', 80],
];
for (const [text, host, port] of listens) {
	test(`listens: ${text}`, t => {
		t.deepEqual(load({HOLDFAST_LISTEN: text}).listen, {host, port});
	});
}

for (const address of ['unix:///var/run/docker.sock', '/run/docker.sock', 'tcp://127.0.0.1:2375', 'tcp://[::1]:2375']) {
	test(`engine: ${address}`, t => {
		t.is(load({DOCKER_HOST: address}).engineAddress, address);
	});
}

test('an engine behind TLS is spoken to with the keys of Docker’s own variables', t => {
	const given = {DOCKER_HOST: 'tcp://engine:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs/'};
	const content = {'/certs/ca.pem': 'ca\n', '/certs/cert.pem': 'cert', '/certs/key.pem': canary};
	Object.assign(files, content);
	const {engineKeys, engineAddress} = load(given);
	t.deepEqual([engineAddress, engineKeys], ['tcp://engine:2376', {folder: '/certs', ca: 'ca\n', cert: 'cert', key: canary}]);
	t.is(load({DOCKER_TLS_VERIFY: '', DOCKER_HOST: 'tcp://proxy:2375'}).engineKeys, undefined);
	for (const name of Object.keys(content)) {
		delete files[name];
	}

	t.regex(
		problemsOf(given).join('\n'),
		/`DOCKER_CERT_PATH` must name a folder with .*got "\/certs": `ca\.pem`: ENOENT[\s\S]*`cert\.pem`[\s\S]*`key\.pem`/,
	);
	const withoutKeys = {DOCKER_TLS_VERIFY: '1', DOCKER_HOST: 'tcp://engine:2376'};
	t.regex(problemsOf(withoutKeys).join(), /`DOCKER_TLS_VERIFY` is set, and `DOCKER_CERT_PATH` is not/);
	t.is(load({DOCKER_TLS_VERIFY: '1'}).engineKeys, undefined, 'it means nothing for a socket');
	t.is(load({DOCKER_CERT_PATH: '/nowhere'}).engineKeys?.folder, '/nowhere', 'nor does that, but that workers never get it');
});

const bad: Array<[name: string, value: string]> = [
	['HOLDFAST_HOST', 'two words'],
	['HOLDFAST_PROJECTS', 'app,,shop'],
	['HOLDFAST_PROJECTS', 'App'],
	['HOLDFAST_LABEL_DIALECTS', 'borgmatic'],
	['HOLDFAST_AUTO', 'yes please'],
	['HOLDFAST_AUTO', 'Yes'],
	['HOLDFAST_AUTO', '1'],
	['HOLDFAST_SCHEDULE', '0 25 * * *'],
	['HOLDFAST_SCHEDULE', 'nightly'],
	['HOLDFAST_KEEP', 'last=0'],
	['TZ', 'Europe/Berln'],
	['HOLDFAST_CONCURRENCY', '0'],
	['HOLDFAST_CONCURRENCY', '33'],
	['HOLDFAST_CONCURRENCY', '2.5'],
	['HOLDFAST_LISTEN', '9797'],
	['HOLDFAST_LISTEN', ':65536'],
	['HOLDFAST_LISTEN', ':0'],
	['HOLDFAST_LISTEN', '::1:80'],
	['DOCKER_HOST', 'ssh://root@host'],
	['DOCKER_HOST', 'tcp://host'],
	['DOCKER_HOST', 'TCP://host:2375'],
	['DOCKER_HOST', 'tcp://host:99999'],
	['DOCKER_HOST', 'unix://relative'],
	['DOCKER_HOST', 'http://host:2375'],
	['HOLDFAST_LOG_LEVEL', 'warn'],
	['HOLDFAST_LABEL_PREFIX', 'holdfast'],
	['HOLDFAST_IMAGE', '--privileged'],
];
for (const [name, value] of bad) {
	test(`refuses ${name}=${value}`, t => {
		const [problem, ...others] = problemsOf({[name]: value});
		t.deepEqual(others, []);
		t.regex(problem ?? '', new RegExp(`^\`${name}\` must .*, got "`));
	});
}

test('reports every problem at once, and names the variable, the rule and the value', t => {
	const error = t.throws(
		() => load({HOLDFAST_CONCURRENCY: 'many', HOLDFAST_LOG_LEVEL: 'loud', HOLDFAST_KEPT: 'x', RESTIC_PASSWORD_FILE: '/missing'}),
		{
			instanceOf: ConfigError,
		},
	);
	t.is(error.problems.length, 4);
	t.regex(explain(error), /4 problems/);
	t.regex(error.message, /`HOLDFAST_CONCURRENCY` must be a whole number from 1 to 32, got "many"/);
	t.regex(error.message, /`HOLDFAST_LOG_LEVEL` must be .*, got "loud"/);
	t.regex(error.message, /`HOLDFAST_KEPT` .*did you mean `HOLDFAST_KEEP`\?/);
	t.regex(error.message, /`RESTIC_PASSWORD_FILE` .*\/missing.*ENOENT.*mount the secret/);
});

test('an unknown variable is a problem, with the nearest known name', t => {
	t.regex(problemsOf({HOLDFAST_API_TOKENFILE: 'x'})[0] ?? '', /HOLDFAST_API_TOKEN/);
	t.regex(problemsOf({HOLDFAST_ZZZZZZZZZZZZ: 'x'})[0] ?? '', /configuration\.md/);
	t.regex(problemsOf({holdfast_schedule: 'x'})[0] ?? '', /did you mean `HOLDFAST_SCHEDULE`/);
	t.regex(problemsOf({HOLDFAST_REPOSITORY: '/x'})[0] ?? '', /did you mean `RESTIC_REPOSITORY`/);
	t.regex(problemsOf({HOLDFAST_RESTIC_PASSWORD_FILE: '/x'})[0] ?? '', /did you mean `RESTIC_PASSWORD_FILE`/);
});

const secretNames = [
	'RESTIC_PASSWORD',
	'HOLDFAST_API_TOKEN',
	'AWS_SECRET_ACCESS_KEY',
	'AWS_ACCESS_KEY_ID',
	'AWS_SESSION_TOKEN',
	'B2_ACCOUNT_KEY',
	'AZURE_ACCOUNT_KEY',
	'AZURE_ACCOUNT_SAS',
	'GOOGLE_ACCESS_TOKEN',
	'OS_PASSWORD',
	'OS_APPLICATION_CREDENTIAL_SECRET',
	'ST_KEY',
	'RESTIC_REST_PASSWORD',
	'RCLONE_CONFIG_REMOTE_PASS',
	'RCLONE_CONFIG_REMOTE_SAS_URL',
	'RCLONE_CONFIG_REMOTE_CONNECTION_STRING',
	'RCLONE_CONFIG_REMOTE_ACCESS_GRANT',
	'RCLONE_CONFIG_REMOTE_PASSPHRASE',
	'RCLONE_CONFIG_REMOTE_HEADERS',
];
for (const name of secretNames) {
	test(`${name}: from the variable or from a file, and never shown`, t => {
		for (const config of [load({[name]: canary}), load({[`${name}_FILE`]: '/run/secrets/canary'})]) {
			t.is(name === 'HOLDFAST_API_TOKEN' ? config.apiToken : config.repository.env[name], canary);
			t.deepEqual(config.secrets, [canary]);
			t.is(config.repository.env[`${name}_FILE`], undefined);
		}

		t.regex(problemsOf({[name]: canary, [`${name}_FILE`]: '/run/secrets/canary'}).join(), /both set/);
		t.regex(problemsOf({[name]: ''}).join(), /empty/);
		t.regex(problemsOf({[`${name}_FILE`]: '/run/secrets/empty'}).join(), /empty/);
		t.regex(problemsOf({[`${name}_FILE`]: '/run/secrets/missing'}).join(), /ENOENT/);
		t.regex(problemsOf({[`${name}_FILE`]: ''}).join(), /ENOENT/);
	});
}

test('a key of rclone is a secret, also without a remote; a file that it reads by itself keeps its name', t => {
	t.deepEqual(load({RCLONE_B2_KEY: canary}).secrets, [canary]);
	const {repository, secrets} = load({RCLONE_SFTP_KEY_FILE: '/missing'});
	t.is(repository.env.RCLONE_SFTP_KEY_FILE, '/missing');
	t.deepEqual(secrets, []);
});

test('no problem holds a secret', t => {
	const problems = problemsOf({
		RESTIC_REPOSITORY: `relative/${canary}`,
		HOLDFAST_API_TOKEN: 'tiny canary',
		RESTIC_PASSWORD: canary,
		RESTIC_PASSWORD_FILE: '/missing',
		AWS_SECRET_ACCESS_KEY_FILE: '/missing',
		DOCKER_HOST: `tcp://user:${canary}@host:2375`,
	});
	t.is(problems.length, 5);
	t.notRegex(problems.join('\n'), /canary/);
});

for (const location of [
	'/backups',
	'local:/backups',
	's3:https://host/bucket',
	'rest:https://host/',
	'sftp:user@host:/path',
	'b2:bucket',
	'azure:c:/',
	'gs:b:/',
	'swift:c:/',
	'rclone:r:p',
]) {
	test(`repository: ${location}`, t => {
		t.is(load({RESTIC_REPOSITORY: location}).repository.location, location);
	});
}

for (const location of ['backups', './backups', 'https://host/', 's3:', 'ftp:x']) {
	test(`no repository: ${location}`, t => {
		t.regex(problemsOf({RESTIC_REPOSITORY: location}).join(), /`RESTIC_REPOSITORY` must be/);
	});
}

test('a repository from a file, and the password in its location', t => {
	t.is(load({RESTIC_REPOSITORY_FILE: '/run/secrets/repository'}).repository.location, '/backups');
	const config = load({RESTIC_REPOSITORY: 'rest:https://user:p%40ss%2Fword@host/', HTTPS_PROXY: 'http://u:proxypass@proxy'});
	t.true(['p%40ss%2Fword', 'p@ss/word', 'proxypass'].every(secret => config.secrets.includes(secret)));
	t.is(config.repository.env.RESTIC_REPOSITORY, undefined);
});

test('what restic and the storage know is passed on as it is; nothing else is', t => {
	const passed = {
		RESTIC_COMPRESSION: 'max',
		RESTIC_CACERT: '/certificates/ca.pem',
		AWS_DEFAULT_REGION: 'eu-central-1',
		AWS_SHARED_CREDENTIALS_FILE: '/aws/credentials',
		AWS_CONFIG_FILE: '/aws/config',
		AWS_WEB_IDENTITY_TOKEN_FILE: '/aws/token',
		GOOGLE_APPLICATION_CREDENTIALS: '/google.json',
		RCLONE_CONFIG: '/rclone.conf',
		RCLONE_CONFIG_REMOTE_KEY_FILE: '/key',
		OS_AUTH_URL: 'https://keystone',
		HTTPS_PROXY: 'http://proxy:3128',
		SSL_CERT_FILE: '/ca.pem',
	};
	const config = load({...passed, PATH: '/bin', HOME: '/root', HOLDFAST_HOST: 'h', NODE_ENV: 'production'});
	t.deepEqual(config.repository.env, passed);
	t.deepEqual(config.secrets, []);
});

for (const name of ['RESTIC_PASSWORD_COMMAND', 'RESTIC_CACHE_DIR', 'RESTIC_HOST']) {
	test(`refuses ${name} and says what to do`, t => {
		t.regex(problemsOf({[name]: 'x'})[0] ?? '', new RegExp(`^\`${name}\` is not supported \\(.+\\)$`));
	});
}

test('directories can be elsewhere', t => {
	const config = loadConfig({}, {stateDirectory: '/tmp/s', cacheDirectory: '/tmp/c'});
	t.is(config.stateDirectory, '/tmp/s');
	t.is(config.repository.cacheDirectory, '/tmp/c');
});

test('maintenance can be turned off, and what it does be chosen', t => {
	const config = load({
		HOLDFAST_PRUNE_SCHEDULE: 'off',
		HOLDFAST_CHECK_SCHEDULE: '@daily',
		HOLDFAST_CHECK_PARTS: '7',
		HOLDFAST_SHRINK_LIMIT: '80%',
	});
	t.like(config, {pruneSchedule: undefined, checkSchedule: '0 0 * * *', checkParts: 7, shrinkLimit: 0.8});
	for (const [name, value] of [
		['HOLDFAST_PRUNE_SCHEDULE', 'never'],
		['HOLDFAST_CHECK_PARTS', '257'],
		['HOLDFAST_CHECK_PARTS', '0'],
		['HOLDFAST_SHRINK_LIMIT', '0%'],
		['HOLDFAST_SHRINK_LIMIT', '0.5'],
	] as const) {
		t.throws(() => load({[name]: value}), {message: new RegExp(name)}, `${name}=${value}`);
	}
});
