/**
 * A MariaDB database is loaded into a new one while the old one serves; then its tables take the place of the old ones, in one statement. What
 * a rename does not move (triggers, views, routines, events) is made again. The old tables are kept in a database of their own.
 */
import * as z from 'zod';
import {type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {quoteAll} from '../../../base/reading/quote.ts';
import {safetyTag, sourcePath} from '../../repository/names.ts';
import {databaseName} from '../database-name.ts';
import {enterableWorker} from '../entering.ts';
import {dumpToFile} from '../feed.ts';
import {type RestoreContext, type Restoring, type RestoringSource, replaced, type UndoContext} from '../restoring.ts';
import {forgetSafety} from '../safety.ts';
import type {Among} from '../source.ts';
import {storeStaged} from '../staged.ts';
import {makeAccounts} from './accounts.ts';
import {dropCode, writeCode} from './code.ts';
import {countContents, describeContents, type MariadbContents, missingContents} from './contents.ts';
import {mariadbDetails} from './details.ts';
import {missingEngines} from './engines.ts';
import {mariadbAccess} from './labels.ts';
import {makeOuter} from './late.ts';
import {changedSetting, loadPart, putSettingsBack} from './load.ts';
import {blankNames, nameSequences} from './names.ts';
import type {PlannedSchema} from './plan.ts';
import {replicaWarning} from './replicas.ts';
import {overBy} from './schedule.ts';
import {connectMariadb, type MariadbServer} from './server.ts';
import {
	createDatabase,
	type DatabaseDefaults,
	databaseExists,
	defaultsOf,
	dropDatabase,
	moveBack,
	moveTables,
	setDefaults,
	tablesOf,
} from './swap.ts';
import {brokenViews, describeUnmade, type LateView, lateView, makeViews, movedTo, outerViews} from './views.ts';

export const replacedSchema = replaced.extend({
	kind: z.literal('mariadb'),
	database: z.string(),
	access: mariadbAccess,
	fresh: z.string(),
	/** How many tables `fresh` has when they are to take the place of the old ones. */
	tables: z.number(),
	/** The database that holds the old tables, and the old defaults. Null where there was no database of that name. */
	old: z.object({aside: z.string(), charset: z.string(), collation: z.string()}).nullable(),
	/** There was none, and it is being made. */
	isMade: z.boolean(),
	/** Of what the old one had beside tables. */
	safety: z.string().nullable(),
	/** Views of the old one that are in no dump, or that read other databases. */
	brokenViews: z.array(lateView).default([]),
	/** Of the server, while something is loaded. */
	settings: z.array(changedSetting).default([]),
});

export type ReplacedSchema = z.infer<typeof replacedSchema>;

type MariadbSource = RestoringSource<PlannedSchema>;

export function mariadbRestoring(
	source: MariadbSource,
	context: RestoreContext,
	/** `isScratch`: nobody but the rehearsal is at the server. */
	{index, all = [], isScratch = false}: Pick<Among, 'index'> & {all?: readonly RestoringSource[]; isScratch?: boolean},
): Restoring & Required<Pick<Restoring, 'check'>> {
	const {name, database, container, access, stored, into, drillSql} = source;
	const {signal, run, tell, worker} = context;
	const details = mariadbDetails.parse(stored.details);
	const {parts} = details;
	const live = into ?? database;
	const fresh = databaseName(live, 'restore', run);
	const file = `${context.staging}/restore-${index}.sql`;
	let server: MariadbServer;
	let inside: Place | undefined;
	let contents: MariadbContents = {};
	let replacement: ReplacedSchema = {
		kind: 'mariadb',
		source: name,
		database: live,
		access,
		fresh,
		tables: 0,
		old: null,
		isMade: false,
		safety: null,
		brokenViews: [],
		settings: [],
		...(into === undefined ? {} : {beside: true}),
	};
	const remember = (more: Partial<ReplacedSchema>) => {
		replacement = {...replacement, ...more};
		context.remember(replacement);
	};

	const place = isScratch ? live : fresh;
	const outer = details.outerViews.map(view => movedTo(view, database, live));

	const load = async (to: string, skip: number, bytes: number) =>
		loadPart({server, worker, inside, file, skip, bytes, database: to, signal, remember: settings => remember({settings})});

	/** But for events whose time is over. */
	const still = async (): Promise<MariadbContents> => {
		const over = await overBy(server, details.schedule);
		if (over.length > 0 && !isScratch) {
			tell({
				type: 'warning',
				message: `events of \`${live}\` whose time is over are not made again, as the server itself drops them: ${quoteAll(over)}`,
			});
		}

		return {...details.contents, events: Math.max(0, (details.contents.events ?? 0) - over.length)};
	};

	return {
		name,
		async load() {
			server = await connectMariadb(context, container, access);
			inside = await enterableWorker(context, server, container, signal);
			const followed = isScratch ? undefined : await replicaWarning(server);
			if (followed !== undefined) {
				tell({type: 'warning', message: followed});
			}

			const defaults = await defaultsOf(server, live);
			remember({old: defaults === undefined ? null : {aside: databaseName(live, 'before', run), ...defaults}});
			await makeAccounts(server, details.accounts, tell);
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
			await assertSize(worker, file, parts.all + parts.code + parts.events + parts.outer);
			await blankNames(worker, file, details.database, signal);
			await createDatabase(server, place, details);
			await load(place, 0, parts.all);
			await load(place, parts.all, parts.code);
			contents = await countContents(server, place);
			assertNothingMissing({...details.contents, events: 0}, contents);
			remember({tables: (await tablesOf(server, place)).length});
		},
		async check() {
			const found = [`loaded by ${server.version}`, describeContents(contents)];
			if (isScratch) {
				const unmade = await makeViews(server, place, outer);
				if (unmade.length > 0) {
					found.push(`not rehearsed, because they read other databases: the views ${quoteAll(unmade.map(view => view.name))}`);
				}

				const missing = await missingEngines(server, details.engines);
				if (missing.length > 0) {
					found.push(`made of another engine, as the rehearsal's server does not have it: the tables of ${quoteAll(missing)}`);
				}
			}

			if (drillSql === undefined) {
				return found;
			}

			await assertTrue(server, place, drillSql);
			return [...found, 'the query of the label says true'];
		},
		async keep() {
			await dropCode(server, place, ['triggers', 'views']);
			if (replacement.old !== null) {
				const broken = await brokenViews(server, live);
				const outer = (await outerViews(server, live)).filter(({name: view}) => !broken.some(other => other.name === view));
				const late = [...broken, ...outer];
				remember({brokenViews: late});
				remember({safety: await keepCode(source, context, {server, inside, database: live, late, index})});
			}
		},
		async swap() {
			const {old} = replacement;
			if (old !== null) {
				await createDatabase(server, old.aside, old);
				await dropCode(server, live);
			} else if (!isScratch) {
				if (await databaseExists(server, live)) {
					throw new RunError(`somebody has made a database \`${live}\` meanwhile`);
				}

				remember({isMade: true});
				await createDatabase(server, live, details);
			}

			await moveTables(server, [
				...(old === null ? [] : [{from: live, to: old.aside, tables: await tablesOf(server, live)}]),
				...(isScratch ? [] : [{from: fresh, to: live, tables: await tablesOf(server, fresh)}]),
			]);

			await nameSequences(server, place, live);
			await setDefaults(server, live, details);
			await load(live, parts.all, parts.code);
			await load(live, parts.all + parts.code, parts.events);
			for (const view of await makeViews(server, live, details.brokenViews)) {
				tell({type: 'warning', message: describeUnmade(live, view)});
			}

			assertNothingMissing(await still(), await countContents(server, live));
			if (!isScratch) {
				await makeOuter(source, all, {server, database: live, views: outer, tolerate: context.tolerate});
			}

			await dropDatabase(server, fresh);
		},
		async close() {},
	};
}

async function assertSize(worker: Place, file: string, bytes: number): Promise<void> {
	const size = Number(await succeed(worker, {argv: ['stat', '--format=%s', '--', file]}));
	if (size !== bytes) {
		throw new RunError(`the dump must have ${bytes} bytes, and has ${size}`);
	}
}

function assertNothingMissing(had: MariadbContents, found: MariadbContents): void {
	const missing = missingContents(had, found);
	if (missing.length > 0) {
		throw new RunError(missing.join('; '));
	}
}

/** @throws where the query of `holdfast.drill.sql` says anything but true */
async function assertTrue(server: MariadbServer, database: string, sql: string): Promise<void> {
	const rows = await server.query(sql.replace(/[\s;]+$/, ''), database).catch((error: unknown) => {
		throw new RunError(`the query of \`${label('drill.sql')}\` failed`, {cause: error});
	});
	if (rows.length !== 1 || rows[0]?.[0] !== '1') {
		throw new RunError(`the query of \`${label('drill.sql')}\` must return true, got \`${rows.flat().join(' ').slice(0, 200)}\``);
	}
}

interface Kept {
	server: MariadbServer;
	inside: Place | undefined;
	database: string;
	late: readonly LateView[];
	index: number;
}

/** @returns the snapshot of what a rename does not move */
async function keepCode(
	{name}: MariadbSource,
	context: RestoreContext,
	{server, inside, database, late, index}: Kept,
): Promise<string | null> {
	const {worker, signal, keeper} = context;
	if (keeper === undefined) {
		const {tables, sequences, ...code} = await countContents(server, database);
		if (Object.values(code).some(count => count > 0)) {
			throw new RunError(
				`the live database has ${describeContents({tables: tables ?? 0, ...code})}; what is no table could not be put back, because no repository can be written`,
			);
		}

		return null;
	}

	const {code, events} = await writeCode(context, {
		server,
		inside,
		database,
		file: `${context.staging}/keep-${index}.sql`,
		signal,
		late,
	});
	await succeed(worker, {argv: ['sh', '-c', 'cat "$2" >>"$1" && rm -f "$2"', 'sh', code, events], signal});
	const keeping = {...context, restic: keeper.restic, tag: safetyTag, time: () => new Date()};
	return (await storeStaged(keeping, name, code, {})).snapshot;
}

/** Wherever the restore stopped: before the swap, in it, or after it. */
export async function rollBackSchema(replacement: ReplacedSchema, context: UndoContext): Promise<void> {
	const {source, database, access, fresh, tables, old, isMade, safety, brokenViews: late} = replacement;
	const {engine, container, signal, worker, staging, target, tell} = context;
	const remember = (settings: ReplacedSchema['settings']) => context.remember({...replacement, settings});
	const server = await connectMariadb({engine, signal}, container(source), access);
	await putSettingsBack(server, replacement.settings, remember);
	if (old !== null) {
		await moveBack(server, {live: database, fresh, aside: old.aside, restored: tables});
		if (safety !== null) {
			await putCodeBack(server, {database, old});
			const file = `${staging}/undo.sql`;
			await dumpToFile(context, {snapshot: safety, path: sourcePath(target, source), file});
			const bytes = Number(await succeed(worker, {argv: ['stat', '--format=%s', '--', file]}));
			await loadPart({server, worker, inside: undefined, file, skip: 0, bytes, database, signal, remember});
			for (const view of await makeViews(server, database, late)) {
				tell({type: 'warning', message: describeUnmade(database, view)});
			}
		}
	} else if (isMade) {
		// There was none before; what is there now is what was restored.
		await dropDatabase(server, database);
	}

	await dropDatabase(server, fresh);
}

async function putCodeBack(server: MariadbServer, {database, old}: {database: string; old: DatabaseDefaults}): Promise<void> {
	await dropCode(server, database);
	await setDefaults(server, database, old);
}

export async function dropReplacedSchema(replacement: ReplacedSchema, context: UndoContext): Promise<void> {
	const {source, access, database, fresh, tables, old} = replacement;
	const {engine, container, signal, isHalf = false} = context;
	if (old !== null || isHalf) {
		const server = await connectMariadb({engine, signal}, container(source), access);
		await putSettingsBack(server, replacement.settings, settings => context.remember({...replacement, settings}));
		if (isHalf && old !== null && (await tablesOf(server, old.aside)).length > 0 && (await tablesOf(server, database)).length < tables) {
			throw new RunError(`database \`${database}\` has not all of its tables, and \`${old.aside}\` has what was there before`);
		}

		if (old !== null) {
			await dropDatabase(server, old.aside);
		}

		await dropDatabase(server, fresh);
	}

	await forgetSafety(replacement, context);
}
