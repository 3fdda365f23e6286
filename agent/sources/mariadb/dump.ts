/**
 * A MariaDB database: the dump's own transaction begins in the moment, and is seen to have begun. Its output is laid aside, because a server ends
 * a session whose reader makes it wait (`net_write_timeout`), and stored when it is whole.
 */
import {lastLines, type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {defaultLockTimeoutMs} from '../../config/settings.ts';
import {enterableWorker} from '../entering.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {storeStaged} from '../staged.ts';
import {readAccounts} from './accounts.ts';
import {type Encoding, encodingOf, tellUnicode} from './charsets.ts';
import {quoteLiteral} from './client.ts';
import {dumpOptions, flavoured, writeCode, writeDump} from './code.ts';
import {commitsOf} from './commits.ts';
import {inBoth, listContents, type MariadbNames} from './contents.ts';
import type {MariadbDetails} from './details.ts';
import {encryptionOf} from './encryption.ts';
import {assertOpen, enginesOf} from './engines.ts';
import {floatsOf} from './floats.ts';
import {generatedTables} from './generated.ts';
import {hiddenFrom} from './hidden.ts';
import {describeLacking, lackingOf} from './lacking.ts';
import type {PlannedSchema} from './plan.ts';
import {scheduleOf} from './schedule.ts';
import {connectMariadb, type MariadbServer} from './server.ts';
import {brokenViews, ignoring, type LateView, outerViews} from './views.ts';
import {patiently} from './waits.ts';

interface Dumping {
	/** Resolves when its transaction has begun, or all of it is done. */
	begun: Promise<void>;
	done: Promise<void>;
	end: AbortController;
}

/** What `--verbose` says after `START TRANSACTION WITH CONSISTENT SNAPSHOT` was answered, and before it reads the first table. */
const hasBegun = /^-- (?:Setting savepoint|Retrieving )/m;

export function mariadbSource(planned: PlannedSchema, context: SourceContext, {index, all}: Among): Source {
	const {name, container, database, lockTimeoutMs: limitMs = defaultLockTimeoutMs} = planned;
	const {signal, worker} = context;
	const file = `${context.staging}/${index}.sql`;
	const commits = commitsOf(planned, all, limitMs);
	let server: MariadbServer;
	let inside: Place | undefined;
	let details: Described;
	let history: string[] = [];
	let names: MariadbNames = new Map();
	let broken: LateView[] = [];
	let outer: LateView[] = [];
	let encoding: Encoding = {asBytes: false, changed: []};
	let dumping: Dumping | undefined;
	/** The session of a dump is newer. */
	let newerThan = 0;

	/** One that was begun in a moment that was given up shows another. */
	const endDump = async () => {
		dumping?.end.abort(new Error('it is not needed any more'));
		await dumping?.done.catch(() => {});
		dumping = undefined;
	};

	const watch = () => ({server, database, newerThan, limitMs});

	const claim = async () => context.room?.claim(name, Math.max(context.previous(name)?.bytes ?? 0, details.databaseSize), 'in the moment');

	return {
		name,
		pinNeedsItsContainer: planned.access.host === undefined,
		pinStores: false,
		async prepare() {
			server = await connectMariadb({...context, lockTimeoutMs: limitMs}, container, planned.access);
			inside = await enterableWorker(context, server, container, signal);
			details = await describe(server, database);
			await assertPrivileged(server, database);
			await assertOpen(server, database);
			broken = await brokenViews(server, database);
			outer = (await outerViews(server, database)).filter(view => !broken.some(({name: other}) => other === view.name));
			names = await listContents(server, database);
			for (const view of [...broken, ...outer]) {
				names.get('views')?.delete(view.name);
			}

			encoding = await encodingOf(server, database);
			const floats = await floatsOf(server, database);
			const precise = await preciseTables(server, database);
			history = hasHistory(server) && precise.length === 0 ? ['--dump-history'] : [];
			context.warnOnce?.(
				name,
				[
					...broken.map(
						view =>
							`the view \`${view.name}\` cannot be read (it names what is not there, or its definer is gone): its definition alone is kept`,
					),
					...(await hiddenFrom(server, database)).map(
						what => `\`${server.user}\` may not see all of the database, and what it cannot see is in no point: ${what}`,
					),
					...precise.map(
						table =>
							`the table \`${table}\` has a history by transactions (\`generated always as row start\` of \`bigint\`), which \`mariadb-dump\` cannot dump: no history of this database is in its points, only the rows of the moment`,
					),
					...(await generatedTables(server, database)).map(
						table =>
							`the table \`${table}\` has generated columns, which Holdfast's own \`mariadb-dump\` writes like others, and MySQL takes no value for them: the rows of such a point cannot be loaded as they are; label the service of the server itself, whose own program is used then`,
					),
					...encoding.changed.map(
						column =>
							`values of \`${column}\` are not in its points as they are, because not all of its character set has a counterpart in Unicode, and ${encoding.asBytes ? 'what an enumeration may be is dumped as text' : 'a database with columns of type `uuid`, `inet4` or `inet6` can be dumped as text only'}: give the column a Unicode character set (utf8mb4)`,
					),
					...[
						...floats.rounded.map(column => [column, 'are'] as const),
						...floats.unknown.map(column => [column, 'may be, as not all of them could be looked at,'] as const),
					].map(
						([column, are]) =>
							`values of \`${column}\` ${are} in its points with six digits only, as a server writes a \`float\`, and have more: make it a \`double\``,
					),
				].map(what => `\`${name}\`: ${what}`),
			);

			await claim();
		},
		async firstPass() {},
		async arm() {
			await claim();
			const [[id] = []] = await server.query('select connection_id()');
			newerThan = Number(id);
		},
		async pin(moment) {
			await endDump();
			await commits?.hold(server, context);
			try {
				dumping = begin(
					context,
					{server, inside, database, late: [...broken, ...outer], history, asBytes: encoding.asBytes, file},
					watch(),
				);
				await Promise.race([dumping.begun, aborted(moment)]);
			} finally {
				await commits?.release();
			}
		},
		async store() {
			if (dumping === undefined) {
				throw new Error('store before pin');
			}

			await dumping.done;
			if (encoding.asBytes) {
				await succeed(worker, {argv: ['sh', '-c', tellUnicode, 'sh', file], signal});
			}

			const contents = inBoth(names, await listContents(server, database));
			await assertTables(worker, file, contents.tables ?? 0, signal);
			const {code, events} = await patiently({...watch(), signal, isReading: () => false}, async within =>
				writeCode(context, {server, inside, database, late: [...broken, ...outer], file, signal: within}),
			);
			const last = await writeViews(worker, `${file}.outer`, outer, signal);
			const sizes = await succeed(worker, {argv: ['stat', '--format=%s', '--', file, code, events, last], signal});
			const [allBytes = 0, codeBytes = 0, eventBytes = 0, outerBytes = 0] = sizes.trim().split('\n').map(Number);
			await succeed(worker, {argv: ['sh', '-c', join, 'sh', file, code, events, last], signal});
			return storeStaged(context, name, file, {
				...details,
				parts: {all: allBytes, code: codeBytes, events: eventBytes, outer: outerBytes},
				contents,
				brokenViews: broken,
				outerViews: outer,
			});
		},
		close: endDump,
	};
}

/** `sh -c SCRIPT sh FILE PART…` */
const join = 'file=$1; shift; cat "$@" >>"$file" && rm -f "$@"';

/** For who loads a dump without Holdfast. */
async function writeViews(worker: Place, file: string, views: readonly LateView[], signal: AbortSignal): Promise<string> {
	const {stdin, stdout, done} = await worker({argv: ['sh', '-c', 'umask 077; cat >"$1"', 'sh', file], stdin: true, signal});
	stdout.resume();
	stdin.end(views.map(({sql}) => `${sql};\n`).join(''));
	const {exitCode, stderr} = await done;
	if (exitCode !== 0) {
		throw new RunError(`\`${file}\` could not be written: ${lastLines(stderr)}`);
	}

	return file;
}

/** MariaDB's from then on can dump the history of system-versioned tables. */
const hasHistory = ({flavour, version}: MariadbServer): boolean => flavour === 'mariadb' && isAtLeast(version, 10, 11);

/** Whose history names transactions: https://mariadb.com/kb/en/system-versioned-tables/ */
const preciseTables = async ({query}: MariadbServer, database: string): Promise<string[]> =>
	(
		await query(
			`select table_name from information_schema.columns where table_schema = ${quoteLiteral(database)} and generation_expression = 'ROW START' and data_type = 'bigint' order by 1`,
		)
	).flatMap(([table]) => table ?? []);

/** A server may give every session no more than so many rows (`sql_select_limit`), of which a dump knows nothing. */
async function assertTables(worker: Place, file: string, tables: number, signal: AbortSignal): Promise<void> {
	const argv = ['sh', '-c', 'grep --text --count "$2" -- "$1" || [ "$?" = 1 ]', 'sh', file, '^-- Table structure for table '] as const;
	const found = Number(await succeed(worker, {argv, env: {LC_ALL: 'C'}, signal}));
	if (!(found >= tables)) {
		throw new RunError(`the dump has ${found} tables of the ${tables} that the database has`);
	}
}

/** Never resolves. */
const aborted = async (signal: AbortSignal): Promise<never> =>
	new Promise((_, reject) => {
		const abort = () => reject(signal.reason);
		if (signal.aborted) {
			abort();
		} else {
			signal.addEventListener('abort', abort, {once: true});
		}
	});

interface Begun {
	server: MariadbServer;
	inside: Place | undefined;
	database: string;
	late: readonly LateView[];
	history: readonly string[];
	asBytes: boolean;
	file: string;
}

/** What `--verbose` says last of a table: its rows come. */
const rowsCome = /-- Retrieving rows\.\.\.\s*$/;

type Watch = Omit<Parameters<typeof patiently>[0], 'signal' | 'isReading'>;

function begin(context: SourceContext, {server, inside, database, late, history, asBytes, file}: Begun, watch: Watch): Dumping {
	const end = new AbortController();
	const begun = Promise.withResolvers<void>();
	let said = '';
	const argv = [
		server.programs.dump,
		...dumpOptions,
		...(asBytes ? ['--default-character-set=binary'] : []),
		...flavoured(server),
		...history,
		...ignoring(database, late),
		'--verbose',
		'--single-transaction',
		'--quick',
		'--skip-triggers',
		'--routines',
		'--skip-events',
		'--',
		database,
	] as const;
	const onError = (piece: string) => {
		said = (said + piece).slice(-4096);
		if (hasBegun.test(said)) {
			begun.resolve();
		}
	};

	const until = AbortSignal.any([context.signal, end.signal]);
	const done = patiently({...watch, signal: until, isReading: () => rowsCome.test(said)}, async signal =>
		writeDump(context, {server, inside, argv, file, signal, onError}),
	);
	done.then(begun.resolve, begun.reject);
	begun.promise.catch(() => {});
	return {begun: begun.promise, done, end};
}

/** @throws {RunError} with the statement that gives what lacks: else the dump would say it when the moment is over */
async function assertPrivileged(server: MariadbServer, database: string): Promise<void> {
	const lacking = (await lackingOf(server, [database])).get(database);
	if (lacking !== undefined) {
		throw new RunError(describeLacking(server.user, lacking), {hint: `\`${lacking.grant}\``});
	}
}

/** @param version `10.11.6-MariaDB-1` */
export function isAtLeast(version: string, major: number, minor: number): boolean {
	const [, ofMajor = 0, ofMinor = 0] = (/^(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
	return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

/** What is the default for new sessions is that of the dump's: its programs cannot be told otherwise. */
async function assertUnlimited({query, where}: MariadbServer): Promise<void> {
	const [[limit = ''] = []] = await query('select @@global.sql_select_limit');
	if (limit !== '18446744073709551615') {
		throw new RunError(
			`the server ${where} gives a session ${limit} rows of a table at most (\`sql_select_limit\`): no dump would be whole`,
			{
				hint: '`set global sql_select_limit = default`',
			},
		);
	}
}

type Described = Omit<MariadbDetails, 'parts' | 'contents' | 'brokenViews' | 'outerViews'>;

async function describe(server: MariadbServer, database: string): Promise<Described> {
	const {flavour, version, client, programs} = server;
	const schema = quoteLiteral(database);
	await assertUnlimited(server);
	const [row] = await server.query(
		`select default_character_set_name, default_collation_name, @@lower_case_table_names,
		(select coalesce(sum(data_length + index_length), 0) from information_schema.tables where table_schema = ${schema})
		from information_schema.schemata where schema_name = ${schema}`,
	);
	if (row === undefined) {
		throw new RunError(`the server ${server.where} has no database \`${database}\``);
	}

	const [charset = '', collation = '', lowerCase, size] = row;
	const toolVersion = (await succeed(client, {argv: [programs.dump, '--version']})).trim();
	const accounts = await readAccounts(server, database);
	return {
		...{database, flavour, version, toolVersion, charset, collation, accounts},
		databaseSize: Number(size),
		lowerCase: Number(lowerCase),
		schedule: await scheduleOf(server, database),
		encryption: await encryptionOf(server, database),
		engines: await enginesOf(server, database),
	};
}
