import test from 'ava';
import fc from 'fast-check';
import {kinds} from '../../../../agent/sources/kinds.ts';
import type {PostgresPolicy} from '../../../../agent/sources/postgres/labels.ts';
import type {SqlitePolicy} from '../../../../agent/sources/sqlite/labels.ts';
import type {VolumePolicy} from '../../../../agent/sources/volume/labels.ts';
import {isEnabled, type Policy, parseLabels} from '../../../../agent/targets/labels.ts';
import type {Problem} from '../../../../base/problem.ts';

/** With what the kinds of sources are asked for beside the rest; of the cases below, some look into these. */
type Flat = Omit<Policy, 'sources'> & {postgres: PostgresPolicy | undefined; sqlite: readonly string[]; tar: string[]} & VolumePolicy;

/** What each kind of the table is asked for where no label names it. */
const unasked = Object.fromEntries(kinds.map(({kind, policy}) => [kind, policy({}, new Map())]));

const flat = ({volume, sqlite, ...others}: Readonly<Record<string, unknown>>) => ({
	...others,
	sqlite: (sqlite as SqlitePolicy).paths,
	...(volume as VolumePolicy),
});

function parse(labels: Record<string, string>, prefix = 'holdfast.'): {policy: Flat; problems: Problem[]} {
	const prefixed = Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));
	const {policy, problems} = parseLabels(prefixed, {prefix, subject: 'demo/app'});
	const {sources, ...rest} = policy;
	return {policy: {...rest, ...flat(sources)} as Flat, problems};
}

const nothing = {
	...flat(unasked),
	group: undefined,
	exclude: [],
	schedule: undefined,
	scheduleCold: undefined,
	keep: undefined,
	copies: undefined,
	ping: undefined,
	quiesce: undefined,
	quiesceWith: [],
	quiesceTimeoutMs: undefined,
	before: undefined,
	after: undefined,
	restoreBefore: undefined,
	restoreAfter: undefined,
	restoreStop: undefined,
	restoreWarning: undefined,
	drill: undefined,
	drillSql: undefined,
	drillImage: undefined,
};

test('without labels no kind is asked for, and everything is left to the defaults', t => {
	t.deepEqual(
		kinds.filter(kind => kind.asks(unasked[kind.kind])).map(({kind}) => kind),
		[],
	);
	t.deepEqual(parse({enable: 'true'}), {policy: nothing as unknown as Flat, problems: []});
});

test('every label of the table', t => {
	const {policy, problems} = parse({
		enable: 'true',
		group: 'stack',
		postgres: 'metadb, other',
		'postgres.user': 'an admin',
		'postgres.format': 'plain',
		'postgres.exclude': 'scratch, old',
		'postgres.host': 'db.example',
		'postgres.port': '5433',
		'postgres.password-secret': 'db-password',
		'postgres.lock-timeout': '2m',
		'postgres.restore.before-sql': 'select 1',
		'postgres.restore.after-sql': 'select 2',
		mysql: 'shop',
		'mysql.user': 'keeper',
		'mysql.password-secret': 'shop-db',
		'mysql.lock-timeout': '2m',
		redis: 'true',
		'redis.user': 'keeper',
		'redis.password-secret': 'shop-cache',
		sqlite: '/data/webui.db',
		volumes: '/data,uploads',
		tar: '/etc/app',
		exclude: '/cache,*.tmp',
		schedule: '@daily',
		'schedule.cold': '@weekly',
		keep: 'within=30d,daily=7,last=3',
		copies: 'offsite,usb',
		ping: 'https://hc.example/uuid',
		quiesce: 'stop',
		'quiesce.with': 'worker,web',
		'quiesce.timeout': '90s',
		before: 'redis-cli save',
		'before.user': '999:999',
		'before.timeout': '1m',
		'before.on-error': 'continue',
		after: '["sh","-c","echo $HOME"]',
		'restore.before': 'occ on',
		'restore.before.user': 'www-data',
		'restore.before.timeout': '1m',
		'restore.after': 'occ off',
		'restore.after.user': '33:33',
		'restore.after.timeout': '30m',
		'restore.stop': 'web',
		'restore.warning': 'ask Ada',
		drill: '0 5 * * sun',
		'drill.sql': 'select true',
		'drill.image': 'registry.example:5000/postgres:17',
	});
	t.deepEqual(problems, []);
	t.deepEqual(policy as unknown, {
		...flat(unasked),
		group: 'stack',
		postgres: {
			databases: ['metadb', 'other'],
			user: 'an admin',
			format: 'plain',
			exclude: ['scratch', 'old'],
			host: 'db.example',
			port: 5433,
			passwordSecret: 'db-password',
			lockTimeoutMs: 120_000,
			restoreBeforeSql: 'select 1',
			restoreAfterSql: 'select 2',
		},
		valkey: {user: 'keeper', passwordSecret: 'shop-cache'},
		mariadb: {
			databases: ['shop'],
			user: 'keeper',
			passwordSecret: 'shop-db',
			exclude: [],
			host: undefined,
			port: undefined,
			lockTimeoutMs: 120_000,
		},
		sqlite: ['/data/webui.db'],
		volumes: ['/data', 'uploads'],
		tar: ['/etc/app'],
		exclude: ['/cache', '*.tmp'],
		schedule: '0 0 * * *',
		scheduleCold: '0 0 * * 0',
		keep: {last: 3, daily: 7, within: '30d'},
		copies: ['offsite', 'usb'],
		ping: 'https://hc.example/uuid',
		quiesce: 'stop',
		quiesceWith: ['worker', 'web'],
		quiesceTimeoutMs: 90_000,
		before: {argv: ['redis-cli', 'save'], user: '999:999', timeoutMs: 60_000, onError: 'continue'},
		after: {argv: ['sh', '-c', 'echo $HOME'], user: undefined, timeoutMs: 30_000, onError: 'fail'},
		restoreBefore: {argv: ['occ', 'on'], user: 'www-data', timeoutMs: 60_000, onError: 'fail'},
		restoreAfter: {argv: ['occ', 'off'], user: '33:33', timeoutMs: 1_800_000, onError: 'fail'},
		restoreStop: ['web'],
		restoreWarning: 'ask Ada',
		drill: '0 5 * * sun',
		drillSql: 'select true',
		drillImage: 'registry.example:5000/postgres:17',
	});
});

/** A label's text, and what one part of the policy then is. */
const good: Array<[label: string, text: string, part: (policy: Flat) => unknown, value: unknown]> = [
	['postgres', 'true', policy => policy.postgres?.databases, 'all'],
	['postgres', 'false', policy => policy.postgres, undefined],
	['postgres', '["true"]', policy => policy.postgres?.databases, ['true']],
	[
		'postgres',
		'["a,b", " c ", "host=evil dbname=x", "--help"]',
		policy => policy.postgres?.databases,
		['a,b', ' c ', 'host=evil dbname=x', '--help'],
	],
	['sqlite', '/a//b/./c.db , /d/', policy => policy.sqlite, ['/a/b/c.db', '/d']],
	['sqlite', '["/a,b.db", "/c\\nd.db"]', policy => policy.sqlite, ['/a,b.db', '/c\nd.db']],
	['sqlite', '//a', policy => policy.sqlite, ['/a']],
	['sqlite', '/a/..b/c..', policy => policy.sqlite, ['/a/..b/c..']],
	['volumes', 'true', policy => policy.volumes, true],
	['volumes', 'false', policy => policy.volumes, false],
	['exclude', '["[abc]*.log", "a\\\\*b"]', policy => policy.exclude, ['[abc]*.log', 'a\\*b']],
	['keep', 'yearly=1', policy => policy.keep, {yearly: 1}],
	['keep', 'within=1y6m', policy => policy.keep, {within: '1y6m'}],
	['quiesce.timeout', '1d', policy => policy.quiesceTimeoutMs, 86_400_000],
	['quiesce.timeout', '7d', policy => policy.quiesceTimeoutMs, 604_800_000],
	[
		'before',
		`sync 'a b' c"d e"f "" $HOME \`id\` $(id) a\\b`,
		policy => policy.before?.argv,
		['sync', 'a b', 'cd ef', '', '$HOME', '`id`', '$(id)', 'a\\b'],
	],
	['before', `echo "it's" '&&'`, policy => policy.before?.argv, ['echo', "it's", '&&']],
];

for (const [label, text, part, value] of good) {
	test(`takes ${label}=${text}`, t => {
		const {policy, problems} = parse({[label]: text});
		t.deepEqual(problems, []);
		t.deepEqual(part(policy), value);
	});
}

const bad: Array<[label: string, text: string, message: RegExp]> = [
	['enable', 'yes', /`holdfast\.enable` must be `true` or `false`, got "yes"/],
	['enable', 'TRUE', /must be `true` or `false`/],
	['enable', '', /got ""/],
	['group', 'a/b', /`holdfast\.group` must be a name/],
	['group', '../x', /must be a name/],
	['group', '', /must be a name/],
	['postgres', 'a,,b', /none of them empty/],
	['postgres', '', /none of them empty/],
	['postgres', '[""]', /names of databases, got ""/],
	['postgres', '["a\\u0000b"]', /must not contain NUL.*got "a\\u0000b"/],
	['postgres', '["\\ud800"]', /half characters/],
	['postgres', 'a,a', /twice, got "a"/],
	['postgres', '[1]', /JSON array of strings/],
	['postgres', '[]', /JSON array of strings/],
	['postgres', '["a"', /JSON array of strings/],
	['sqlite', 'data/webui.db', /must be absolute paths.*got "data\/webui\.db"/],
	['sqlite', '/ok.db,/data/../etc/passwd', /without `\.\.`, got "\/data\/\.\.\/etc\/passwd"/],
	['sqlite', '/', /whole file system/],
	['sqlite', '/data/[a.db', /whose `\[` are closed/],
	['sqlite', '/a\n/b', /one line/],
	['sqlite', '/a/,/a', /twice/],
	['tar', 'etc', /absolute/],
	['tar', '/.', /whole file system/],
	['volumes', 'yes please', /`true`, `false`, or paths/],
	['volumes', 'true,/data,--all', /got "--all"/],
	['exclude', '../x', /without `\.\.`/],
	['exclude', '/', /relative to the mount/],
	['exclude', '!keep', /`!` has no meaning/],
	['exclude', 'a[b', /`\[` are closed/],
	['exclude', 'a\\', /`\[` are closed/],
	['exclude', '["[]"]', /`\[` are closed/],
	['schedule', '0 0 3 * * *', /`holdfast\.schedule` must be a cron line of five fields/],
	['schedule', '61 * * * *', /its minute.*got "61"/],
	['drill', 'never', /`holdfast\.drill` must be a cron line/],
	['keep', '', /must be a list such as/],
	['keep', 'daily=0', /got "daily=0"/],
	['keep', 'daily=-1', /got "daily=-1"/],
	['keep', 'daily=7,dayly=3', /got "dayly=3"/],
	['keep', 'daily=7,daily=8', /twice/],
	['keep', 'within=30', /got "within=30"/],
	['keep', 'within=', /got "within="/],
	['keep', 'constructor=1', /got "constructor=1"/],
	['copies', 'a b', /must be a name/],
	['ping', 'file:///etc/passwd', /must be a URL that begins with `https:\/\/` or `http:\/\/`/],
	['quiesce', 'freeze', /`none` or `pause` or `stop` or `snapshot`, got "freeze"/],
	['quiesce.with', 'a/b', /must be a name/],
	['quiesce.timeout', '5', /duration such as/],
	['quiesce.timeout', '0s', /duration such as/],
	['quiesce.timeout', '1h30m', /duration such as/],
	['quiesce.timeout', '8d', /at most `7d`/],
	['before', '', /a program and its arguments/],
	['before', `sync 'a`, /close its quotes/],
	['before', 'sync "a\'', /close its quotes/],
	['before', 'a && b', /without a shell.*got "&&"/],
	['before', '["", "x"]', /a program/],
	['before', '["a\\u0000"]', /without NUL/],
	['postgres.port', '0', /from 1 to 65535/],
	['postgres.port', '65536', /from 1 to 65535/],
	['postgres.port', '5432x', /from 1 to 65535/],
	['postgres.host', 'db host=evil', /host name/],
	['postgres.host', 'a=b', /host name/],
	['postgres.host', '/run/postgresql', /host name/],
	['postgres.host', '-h', /host name/],
	['postgres.host', "a'b", /host name/],
	['postgres.user', '', /not empty/],
	['postgres.format', 'tar', /`custom` or `plain` or `all`/],
	['before.user', 'a b', /must be a user/],
	['before.on-error', 'ignore', /`fail` or `continue`/],
	['restore.warning', ' ', /not empty/],
	['restore.warning', 'a\0b', /without NUL/],
];

for (const [label, text, message] of bad) {
	test(`refuses ${label}=${JSON.stringify(text)}`, t => {
		const owner = /^(postgres|before)\./.exec(label)?.[1];
		const {problems} = parse({...(owner === undefined ? {} : {[owner]: 'x'}), [label]: text});
		t.is(problems.length, 1, JSON.stringify(problems));
		t.true(problems[0]?.message.startsWith(`\`demo/app\`: \`holdfast.${label}\` `), problems[0]?.message);
		t.regex(problems[0]?.message ?? '', message);
	});
}

test('all problems at once', t => {
	const {problems} = parse({enable: 'maybe', sqlite: 'x', quiesce: 'y', keep: 'z', sqllite: '/a', 'after.user': 'root'});
	t.is(problems.length, 6);
});

test('an unknown label is a problem, with the nearest known one', t => {
	for (const [label, meant] of [
		['sqllite', 'sqlite'],
		['quiesce-with', 'quiesce.with'],
		['postgres_user', 'postgres.user'],
		['Schedule', 'schedule'],
		['postgres.pasword-secret', 'postgres.password-secret'],
	]) {
		t.deepEqual(parse({[label ?? '']: 'x'}).problems, [
			{message: `\`demo/app\`: unknown label "holdfast.${label}" with value "x"`, hint: `did you mean \`holdfast.${meant}\`?`},
		]);
	}

	t.is(parse({zebra: 'x'}).problems[0]?.hint, 'docs/labels.md lists the labels');
	t.is(parse({['x'.repeat(100_000)]: 'x'}).problems.length, 1);
});

test('labels that need another one', t => {
	const messages = parse({'postgres.user': 'a', 'before.timeout': '1s'}).problems.map(({message}) => message);
	t.regex(messages[0] ?? '', /`holdfast\.postgres\.user` needs `holdfast\.postgres`/);
	t.regex(messages[1] ?? '', /`holdfast\.before\.timeout` needs `holdfast\.before`/);
	t.deepEqual(parse({postgres: 'false', 'postgres.user': 'a'}).problems, []);
});

test('another prefix', t => {
	t.deepEqual(parse({sqlite: '/a'}, 'backup.').policy.sqlite, ['/a']);
	t.regex(parse({sqlite: 'a'}, 'backup.').problems[0]?.message ?? '', /`backup\.sqlite`/);
	t.deepEqual(parseLabels({'holdfast.sqlite': 'x'}, {prefix: 'backup.', subject: 'x'}).problems, []);
});

test('hostile values are cut and shown harmlessly', t => {
	const [problem] = parse({group: `\u001b[31m\u202e\u009b${'x'.repeat(500)}`}).problems;
	t.regex(problem?.message ?? '', /got "\\u001b\[31m\\u202e\\u009bx+"…$/);
	t.true((problem?.message.length ?? 0) < 300);
});

test('a drill is on a schedule, or never by itself', t => {
	const drillOf = (drill: string) => parseLabels({'holdfast.enable': 'true', 'holdfast.drill': drill}, {subject: 'shop/db'});
	t.is(drillOf('@weekly').policy.drill, '0 0 * * 0');
	t.is(drillOf('false').policy.drill, 'false');
	t.regex(
		drillOf('never')
			.problems.map(({message}) => message)
			.join(),
		/holdfast\.drill/,
	);
});

test('who is enabled', t => {
	t.true(isEnabled({'holdfast.enable': 'true'}));
	t.true(isEnabled({'holdfast.enable': 'treu'}));
	t.false(isEnabled({'holdfast.enable': 'false'}));
	t.false(isEnabled({}));
	t.true(isEnabled({'b.enable': 'true'}, 'b.'));
});

const names = [...new Set([...good, ...bad].map(([label]) => label)), 'restore.stop', 'copies', 'unknown', ''];
const texts = fc.oneof(
	fc.string({unit: 'binary', maxLength: 60}),
	fc.constantFrom(...[...good, ...bad].map(([, text]) => text)),
	fc.array(fc.string()).map(items => JSON.stringify(items)),
	fc.stringMatching(/^[/.,a-c[\]"'\\*!=0-9smhd -]{0,30}$/),
);

test('never throws, and gives a policy of the documented shape or says why not', t => {
	fc.assert(
		fc.property(fc.dictionary(fc.constantFrom(...names), texts), labels => {
			const {policy, problems} = parse(labels);
			t.deepEqual(Object.keys(policy).sort(), Object.keys(nothing).sort());
			for (const path of [...policy.sqlite, ...policy.tar]) {
				t.regex(path, /^(?:\/[^/\0]+)+$/);
				t.false(path.split('/').some(element => element === '..' || element === '.'));
			}

			for (const pattern of policy.exclude) {
				t.false(pattern.startsWith('!') || pattern.includes('\0') || pattern.split('/').includes('..'));
			}

			for (const hook of [policy.before, policy.after]) {
				t.true(hook === undefined || (hook.argv[0].length > 0 && hook.argv.every(word => !word.includes('\0')) && hook.timeoutMs > 0));
			}

			const databases = policy.postgres?.databases ?? [];
			t.true(databases === 'all' || databases.every(name => name !== '' && !name.includes('\0')));
			t.true(policy.keep === undefined || Object.keys(policy.keep).length > 0);
			for (const {message} of problems) {
				t.notRegex(message, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
			}
		}),
		{numRuns: 500},
	);
});

test('any database name can be given as a JSON array', t => {
	fc.assert(
		fc.property(
			fc.uniqueArray(
				fc.string({minLength: 1, unit: 'binary'}).filter(name => !name.includes('\0')),
				{minLength: 1},
			),
			databases => {
				const {policy, problems} = parse({postgres: JSON.stringify(databases)});
				t.deepEqual(problems, []);
				t.deepEqual(policy.postgres?.databases, databases);
			},
		),
	);
});

test('any argv can be given as a JSON array', t => {
	fc.assert(
		fc.property(
			fc.array(
				fc.string({minLength: 1, unit: 'binary'}).filter(word => !word.includes('\0')),
				{minLength: 1},
			),
			argv => {
				t.deepEqual(parse({before: JSON.stringify(argv)}).policy.before?.argv, argv as [string]);
			},
		),
	);
});
