/** Portable archives as the agent offers them: a point goes out, or comes in as a new one. */

import {refusedFor, UsageError} from '../../base/errors.ts';
import {failed} from '../../base/failed.ts';
import type {Log} from '../../base/log.ts';
import type {BackupResult} from '../../base/results.ts';
import type {Accepted, ExportRequest, ImportRequest} from '../../base/shapes/runs.ts';
import type {Survey} from '../plan/survey.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import {findPoint} from '../repository/find.ts';
import {readManifest} from '../repository/points.ts';
import type {RunContext, Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {isDatabase} from '../sources/postgres/plan.ts';
import {isVolume} from '../sources/volume/plan.ts';
import {type Exported, exportPoint} from './export.ts';
import {importArchive} from './import.ts';
import type {ImportRun} from './receive.ts';

export interface Archives {
	/** A point as a portable archive. @throws {NotFoundError | UsageError} */
	export: (request: ExportRequest) => Promise<Exported>;
	/** `received` resolves when the archive was read to its end and is well-formed. @throws {NotFoundError | UsageError | BusyError} */
	import: (request: ImportRequest) => Promise<Accepted<BackupResult> & {received: Promise<void>}>;
}

interface Parts {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	repository: RepositoryDoor;
	importLimitBytes: number;
	log: Log;
}

export function createArchives({workshop, survey, runs, repository, importLimitBytes, log}: Parts): Archives {
	const restic = workshop.restic();

	/** Where an archive's database and files belong. @throws {UsageError} */
	const destination = async (target: string, only: readonly string[]): Promise<Pick<ImportRun, 'database' | 'files'>> => {
		const {plan, target: found} = await survey.one(target);
		if (found.problems.length > 0) {
			throw refusedFor(found.problems);
		}

		const chosen = plan.sources.filter(({name}) => only.length === 0 || only.includes(name));
		const databases = chosen.filter(isDatabase);
		const volumes = chosen.filter(isVolume);
		const [database] = databases;
		if (database === undefined || databases.length > 1 || volumes.length > 1) {
			const has = plan.sources.map(({name}) => `\`${name}\``).join(', ') || 'nothing';
			throw new UsageError(`an archive belongs to one database and to the files of one volume, and \`${target}\` has ${has}`, {
				hint: 'name where it belongs with --only',
			});
		}

		return {database, files: volumes[0]};
	};

	return {
		async export({target, point: wanted, only}) {
			await repository.open();
			const point = await findPoint(restic, workshop.ownership(), {target, point: wanted});
			const exported = await exportPoint({restic, manifest: await readManifest(restic, point), only});
			log.info(`point ${point.id} of \`${target}\` is exported as ${exported.name}`, {target, run: point.id});
			exported.stream.once('error', error => log.warning(`the export of point ${point.id} of \`${target}\` broke off`, {error}));
			return exported;
		},
		async import({target, only, file, body, trigger}) {
			const places = await destination(target, only);
			const {promise: received, resolve, reject} = Promise.withResolvers<void>();
			// Whoever asked may have gone.
			received.catch(() => {});
			const work = async ({run, startedAt, signal, tell}: RunContext): Promise<BackupResult> => {
				try {
					signal.throwIfAborted();
					tell({type: 'step', step: 'plan'});
					await repository.open();
					return await importArchive(workshop, {
						...places,
						run,
						startedAt,
						target,
						body,
						file,
						limitBytes: importLimitBytes,
						onReceived: refusal => (refusal === undefined ? resolve() : reject(refusal)),
						signal,
						tell,
					});
				} catch (error) {
					reject(error);
					return failed.backup({run, target, startedAt}, error);
				}
			};
			const accepted: Accepted<BackupResult> = runs.start({operation: 'import', target, trigger, work});
			return {...accepted, received};
		},
	};
}
