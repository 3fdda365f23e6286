/** SQLite databases in mounts. */
import {basename} from 'node:path/posix';
import {mountOf} from '../../../docker/storage.ts';
import type {Given, Kind} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import {heldBytes} from '../room.ts';
import {sqliteSource} from './backup.ts';
import {sqliteDrilling} from './drill.ts';
import {askSqlite, type FoundFiles, proposeSqlite} from './find.ts';
import {readSqlite, type SqlitePolicy} from './labels.ts';
import {claimedFiles, type PlannedFile, sqliteSources} from './plan.ts';
import {type ReplacedFile, removeReplacedFile, replacedFile, rollBackFile, sqliteRestoring} from './restore.ts';

const labels = {sqlite: readSqlite};

const nothing: SqlitePolicy = {paths: [], patterns: [], all: false};

export const sqlite: Kind<SqlitePolicy, FoundFiles, PlannedFile, ReplacedFile> = {
	kind: 'sqlite',
	title: 'SQLite',
	isDatabase: true,
	isServed: false,
	isTree: false,
	// SQLite must make its `-wal` and `-shm`.
	writesToMount: true,
	rank: 2,
	labels,
	policy: (given: Given<typeof labels>) => given.sqlite ?? nothing,
	asks: policy => policy !== nothing,
	ask: askSqlite,
	propose: proposeSqlite,
	answersKeptMs: 10 * 60_000,
	// Its application may just be making it; and looking into mounts takes its time.
	isLasting: ({found, amiss = [], isEarly = false}) => found.length > 0 || (amiss.length === 0 && !isEarly),
	names: () => true,
	plan: sqliteSources,
	claims: claimedFiles,
	covers: ({mount}) => [{mount, withInside: false}],
	stillness: () => 'allowed',
	view: ({path}) => ({path}),
	backup: sqliteSource,
	place({source, name: path}, {container}) {
		const mount = mountOf(path, container);
		return mount === undefined
			? `\`${source}\`: container \`${container.name}\` has no mount that holds ${path}`
			: {name: source, container, kind: 'sqlite', path, mount};
	},
	writing: source => ({folder: workerMount(source.target, source).to, atMost: heldBytes(source.stored)}),
	count: async () => ({written: 1, removed: 0}),
	restore: sqliteRestoring,
	replaced: replacedFile,
	rollBack: rollBackFile,
	release: removeReplacedFile,
	describe: ({old}) => `file ${basename(old)}`,
	drill: sqliteDrilling,
};
