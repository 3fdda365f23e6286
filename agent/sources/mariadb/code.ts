/** What a database has beside its tables and their content: triggers, routines, views, events. Made again where tables are renamed, which moves none of it. */
import {lastLines, type Place, type Running, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {throughAgent} from '../entering.ts';
import type {SourceContext} from '../source.ts';
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';
import {ignoring, type LateView, viewsOf} from './views.ts';

/** What every dump has in common. Uncommented dates would make each differ. The server's own option files are not read: they may leave things out. */
export const dumpOptions = [
	'--default-character-set=utf8mb4',
	'--max-allowed-packet=1G',
	'--hex-blob',
	'--skip-dump-date',
	'--skip-lock-tables',
	'--add-drop-trigger',
	// A table whose default is the next number of a sequence cannot be filled while it alone is locked.
	'--skip-add-locks',
] as const;

/** MySQL's own would set what numbers of transactions the server has seen; a server elsewhere is dumped by MariaDB's, which does not. */
export const flavoured = ({flavour, isExternal}: Pick<MariadbServer, 'flavour' | 'isExternal'>): string[] =>
	flavour === 'mysql' && !isExternal ? ['--set-gtid-purged=OFF', '--no-tablespaces'] : [];

/** Stands at the end of every whole dump. */
const trailer = '-- Dump completed';

export interface Written {
	server: MariadbServer;
	/** None: through the agent. */
	inside: Place | undefined;
	argv: readonly [string, ...string[]];
	/** Of the staging folder. */
	file: string;
	signal: AbortSignal;
	/** Hears the error output as it comes. */
	onError?: ((piece: string) => void) | undefined;
}

/** `sh -c SCRIPT sh FILE PROGRAM …` */
const intoFile = 'umask 077; exec >"$1"; shift; exec "$@"';

/** @returns when the program exited 0, and what it wrote ends as whole dumps do */
export async function writeDump(
	context: Pick<SourceContext, 'worker'>,
	{server, inside, argv, file, signal, onError}: Written,
): Promise<void> {
	const check = async ({done, stdout}: Running) => {
		stdout.resume();
		const {exitCode, stderr} = await done;
		if (exitCode !== 0) {
			throw new RunError(`\`${argv[0]}\` failed with exit code ${exitCode}: ${lastLines(withoutRemarks(stderr))}`);
		}
	};

	if (inside === undefined) {
		await throughAgent(context, {client: server.client, command: {argv, signal, onError}, file, check});
	} else {
		await check(await inside({...server.fromWorker(intoFile, [file], argv), signal, onError}));
	}

	const end = await succeed(context.worker, {argv: ['tail', '-c', '64', '--', file], signal});
	if (!end.includes(trailer)) {
		throw new RunError(`the dump does not end with \`${trailer}\`, so it is not whole`);
	}
}

/** `--verbose` says what is done, in lines that begin like comments. */
const withoutRemarks = (stderr: string): string =>
	stderr
		.split('\n')
		.filter(line => !line.startsWith('-- '))
		.join('\n');

/** A name as a person may have written it. */
const written = '(`([^`]|``)*`|"([^"]|"")*"|[^[:space:]`".]+)';

/**
 * A trigger is kept as it was written, the name of its database included (`create trigger shop.t before insert on shop.orders`, as MySQL Workbench has it): loaded
 * into another one it would fail, or be made in the live one. Bytes, because each trigger is in a character set of its own.
 */
export function unqualify(file: string): [string, ...string[]] {
	const head =
		'((^|\\n)/\\*!50003 CREATE\\*/ (/\\*!50017 DEFINER=[^\\n]*\\*/ )?/\\*!50003 TRIGGER[[:space:]]+(IF[[:space:]]+NOT[[:space:]]+EXISTS[[:space:]]+)?';
	const when = '[[:space:]]+(BEFORE|AFTER)[[:space:]]+((INSERT|UPDATE|DELETE|OR)[[:space:]]+)+ON[[:space:]]+';
	const qualifier = `${written}[[:space:]]*\\.[[:space:]]*`;
	return [
		'sed',
		'-z',
		'-E',
		'-i',
		'-e',
		`s@${head})${qualifier}@\\1@Ig`,
		'-e',
		`s@${head}${written}${when})${qualifier}@\\1@Ig`,
		'--',
		file,
	];
}

interface CodeWritten extends Omit<Written, 'argv' | 'onError'> {
	database: string;
	/** Left out. */
	late: readonly LateView[];
}

/** Two files, in an order in which each thing finds what it needs: triggers, routines and views; and then events, which begin to run where they are loaded. */
export async function writeCode(
	context: Pick<SourceContext, 'worker'>,
	{database, file, late, ...rest}: CodeWritten,
): Promise<{code: string; events: string}> {
	const {server} = rest;
	const {dump} = server.programs;
	const base = [dump, ...dumpOptions, ...flavoured(server), '--no-data'] as const;
	const files = {code: `${file}.code`, views: `${file}.views`, events: `${file}.events`};
	const ignored = ignoring(database, late);
	const views = (await viewsOf(server, database)).filter(view => !late.some(({name}) => name === view));

	const write = async (to: string, ...argv: string[]) => writeDump(context, {...rest, argv: [...base, ...ignored, ...argv], file: to});
	await write(files.code, '--no-create-info', '--triggers', '--routines', '--skip-events', '--', database);
	await succeed(context.worker, {argv: unqualify(files.code), env: {LC_ALL: 'C'}, signal: rest.signal});
	if (views.length > 0) {
		await write(files.views, '--skip-triggers', '--', database, ...views);
		await succeed(context.worker, {
			argv: ['sh', '-c', 'cat "$2" >>"$1" && rm -f "$2"', 'sh', files.code, files.views],
			signal: rest.signal,
		});
	}

	await write(files.events, '--no-create-info', '--skip-triggers', '--events', '--', database);
	return {code: files.code, events: files.events};
}

type Dropped = 'triggers' | 'views' | 'routines' | 'events';

const dropped: Readonly<Record<Dropped, {select: (schema: string) => string; drop: (kind: string, name: string) => string}>> = {
	triggers: {
		select: schema => `select 'trigger', trigger_name from information_schema.triggers where trigger_schema = ${schema}`,
		drop: (_, name) => `drop trigger if exists ${name}`,
	},
	views: {
		select: schema => `select 'view', table_name from information_schema.views where table_schema = ${schema}`,
		drop: (_, name) => `drop view if exists ${name}`,
	},
	routines: {
		// A package takes its body with it.
		select: schema =>
			`select routine_type, routine_name from information_schema.routines where routine_schema = ${schema} and routine_type <> 'PACKAGE BODY'`,
		drop: (kind, name) => `drop ${/^(?:procedure|function|package)$/i.exec(kind)?.[0] ?? 'procedure'} if exists ${name}`,
	},
	events: {
		select: schema => `select 'event', event_name from information_schema.events where event_schema = ${schema}`,
		drop: (_, name) => `drop event if exists ${name}`,
	},
};

export async function dropCode(
	{query}: MariadbServer,
	database: string,
	kinds: readonly Dropped[] = ['events', 'triggers', 'views', 'routines'],
): Promise<void> {
	for (const kind of kinds) {
		const {select, drop} = dropped[kind];
		const found = await query(select(quoteLiteral(database)));
		if (found.length > 0) {
			await query(found.map(([type = '', name = '']) => drop(type, `${quoteIdentifier(database)}.${quoteIdentifier(name)}`)).join(';\n'));
		}
	}
}
