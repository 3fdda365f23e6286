/** An import run: a portable archive becomes a restore point. It lies whole and checked in the staging folder before anything is stored. */

import {succeed} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import {warner} from '../../base/events.ts';
import type {BackupResult, SourceResult} from '../../base/results.ts';
import type {Workforce} from '../../docker/worker.ts';
import {describePoint, describeSource} from '../backup/describe.ts';
import type {ManifestSource, Origin} from '../repository/manifest.ts';
import {publish} from '../repository/press.ts';
import {withWorkers} from '../runs/shell.ts';
import {sourceContext} from '../runs/source-context.ts';
import type {Workshop} from '../runs/workshop.ts';
import {assertClientFits} from '../sources/postgres/external.ts';
import {importedDetails} from '../sources/postgres/import.ts';
import {reachServer} from '../sources/postgres/reach.ts';
import type {PlannedSource, SourceContext, Stored} from '../sources/source.ts';
import {snapshotOptions, storeStaged} from '../sources/staged.ts';
import type {PlannedVolume} from '../sources/volume/plan.ts';
import type {ImportRun} from './receive.ts';
import {giveToOwner, mountsOf, placeOf, receive, type StagingPlace} from './receive.ts';
import type {Unpacked} from './unpack.ts';

/** Never rejects: whatever happens is the outcome. */
export async function importArchive(workshop: Workshop, options: ImportRun): Promise<BackupResult> {
	const {run, target, startedAt} = options;
	const sources: SourceResult[] = [];
	const state = {published: false};
	const failures = await withWorkers(workshop, options, async workforce => work(workshop, options, {workforce, sources, state}));
	const errors = failures.map(explain);
	if (failures.length > 0) {
		options.onReceived(failures[0]);
	}

	options.body.destroy();

	return {
		run,
		target,
		outcome: state.published ? (errors.length === 0 ? 'success' : 'partial') : 'failed',
		point: state.published ? run : null,
		startedAt: startedAt.toISOString(),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		quiesceSeconds: 0,
		sources,
		...(errors.length === 0 ? {} : {error: errors.join('; ')}),
	};
}

interface Hands {
	workforce: Workforce;
	sources: SourceResult[];
	state: {published: boolean};
}

async function work(workshop: Workshop, options: ImportRun, {workforce, sources, state}: Hands): Promise<void> {
	const {run, target, database, files, signal, tell} = options;
	const place = placeOf(target, files);
	const worker = await workforce.repository(mountsOf(options, place), 'write');
	const restic = workshop.restic(worker.run, {onTrouble: warner(tell)});
	const context = sourceContext(workshop, workforce, worker, {run, target, restic, time: () => options.startedAt, signal, tell});
	const server = await reachServer(context, database);
	await assertClientFits(server);
	tell({type: 'step', step: 'receive', subject: options.file});
	const received = await receive(context, options, {
		place,
		tool: await succeed(server.client, {argv: ['pg_restore', '--version'], signal}),
	});
	options.onReceived();
	tell({type: 'step', step: 'verify', subject: database.name});
	const details = await importedDetails(context, server, {
		database,
		header: received.header,
		metadata: received.metadata,
		file: place.dump,
		fifo: `${place.dump}.fifo`,
	});
	for (const message of details.warnings) {
		tell({type: 'warning', message});
	}

	const stored = [await keep(options, sources, database, async () => storeStaged(context, database.name, place.dump, details.details))];
	if (received.files !== undefined && files !== undefined) {
		await giveToOwner(context, place);
		stored.push(await keep(options, sources, files, async () => storeFiles(context, files, place, received)));
	}

	tell({type: 'step', step: 'publish'});
	const manifest = describePoint(workshop, {
		run,
		target,
		startedAt: options.startedAt,
		time: context.time(),
		quiesced: [],
		quiesceSeconds: 0,
		sources: stored,
		origin: originOf(options, received),
	});
	await publish(workshop.restic(), manifest, workshop.folder, signal);
	state.published = true;
	if (received.files === undefined && files !== undefined) {
		tell({type: 'warning', message: `the archive has no files, so the point \`${run}\` has no \`${files.name}\``});
	}
}

async function storeFiles(context: SourceContext, {name, mount}: PlannedVolume, {path}: StagingPlace, {files}: Unpacked): Promise<Stored> {
	const {snapshot, bytes, addedBytes} = await context.restic.backupFiles({...snapshotOptions(context, name), path});
	return {
		snapshot,
		bytes,
		addedBytes,
		details: {path: mount.path, volume: mount.volume ?? null, subpath: mount.subpath ?? null, files: files?.count ?? 0, exclude: []},
	};
}

async function keep(
	{target, tell}: ImportRun,
	sources: SourceResult[],
	planned: PlannedSource,
	store: () => Promise<Stored>,
): Promise<ManifestSource> {
	const {name} = planned;
	tell({type: 'step', step: 'store', subject: name});
	const begun = performance.now();
	const stored = await store();
	const {snapshot, bytes, addedBytes} = stored;
	sources.push({source: name, outcome: 'success', snapshot, bytes, addedBytes});
	return describeSource(target, planned, stored, (performance.now() - begun) / 1000);
}

function originOf({file, startedAt}: ImportRun, {kind, header, metadata}: Unpacked): Origin {
	return {
		file,
		kind,
		importedAt: startedAt.toISOString(),
		dumpedAt: header.createdAt?.toISOString() ?? null,
		database: header.database,
		serverVersion: header.serverVersion,
		metadata: metadata ?? null,
	};
}
