/** Variables whose value is all that is to be known of them: a name, a number, a time, a schedule. */

import {ownTimeZone} from '../../base/clock.ts';
import {defaultPrefix} from '../../base/label.ts';
import {type LogLevel, logLevels} from '../../base/log-levels.ts';
import {readCronLine} from '../../base/reading/cron-line.ts';
import {type Keep, readKeep} from '../../base/reading/keep.ts';
import {listOf, oneOf} from '../../base/reading/reader.ts';
import {type DialectName, readDialects, readDuration, readSize} from '../../base/reading/values.ts';
import type {WorkerLimits} from '../../docker/inherited.ts';
import type {Environment} from './environment.ts';
import {
	type Listen,
	orOff,
	orUnlimited,
	readAuto,
	readConcurrency,
	readContainer,
	readCpus,
	readEngineAddress,
	readHost,
	readImage,
	readLabelPrefix,
	readListen,
	readParts,
	readProject,
	readShare,
	readTimeZone,
	unlessOff,
} from './values.ts';

/** How long an application may have what a dump needs for itself alone, where nobody says: an import may take its time. */
export const defaultLockTimeoutMs = 10 * 60_000;

export interface Settings {
	/** What snapshots are filed under; undefined: the engine's name. */
	host: string | undefined;
	/** The Compose projects that this agent looks after; undefined: all, and lone containers. */
	projects: readonly string[] | undefined;
	/** Those whose services are protected without a label; `*`: everything. */
	auto: readonly string[];
	/** A cron line of five fields. */
	schedule: string;
	/** Of targets whose labels do not say. */
	keep: Keep | undefined;
	/** The share of its size that a source may lose from one point to the next before a person must look. */
	shrinkLimit: number;
	/** Cron lines of five fields; undefined: off. */
	pruneSchedule: string | undefined;
	checkSchedule: string | undefined;
	/** In how many scheduled checks all of the repository's data is read once. */
	checkParts: number;
	/** An IANA name. */
	timeZone: string;
	/** How many runs at once. */
	concurrency: number;
	/** How long a run may get no further before it fails. */
	stallLimitMs: number;
	/** How long what a restore replaced is kept. */
	keepReplacedMs: number;
	/** Bytes that must be left where a database is restored, beside its own size. */
	restoreMarginBytes: number;
	/** Of an archive that is imported, decompressed. */
	importLimitBytes: number;
	/** How long a dump waits for a lock that somebody else holds, where a label does not say. */
	lockTimeoutMs: number;
	listen: Listen;
	/** `unix:///path`, `/path` or `tcp://host:port`. */
	engineAddress: string;
	logLevel: LogLevel;
	/** With its dot at the end. */
	labelPrefix: string;
	/** Programs whose labels are understood, too. */
	labelDialects: readonly DialectName[];
	/** The image that workers are made of; undefined: the agent's own. */
	image: string | undefined;
	/** The name or id of the agent's own container; undefined: it finds out. */
	container: string | undefined;
	/** What workers may use, where it is not what the agent's own container may. */
	workerLimits: WorkerLimits;
}

/** Each with its default; docs/configuration.md says why it is that. Mistakes are problems of the environment. */
export function readSettings({value}: Environment): Settings {
	return {
		host: value('HOLDFAST_HOST', readHost),
		projects: value('HOLDFAST_PROJECTS', listOf(readProject)),
		auto: value('HOLDFAST_AUTO', readAuto) ?? [],
		schedule: value('HOLDFAST_SCHEDULE', readCronLine) ?? '0 3 * * *',
		keep: value('HOLDFAST_KEEP', readKeep),
		shrinkLimit: value('HOLDFAST_SHRINK_LIMIT', readShare) ?? 0.5,
		pruneSchedule: unlessOff(value('HOLDFAST_PRUNE_SCHEDULE', orOff(readCronLine)) ?? '30 4 * * 0'),
		checkSchedule: unlessOff(value('HOLDFAST_CHECK_SCHEDULE', orOff(readCronLine)) ?? '30 5 * * 0'),
		checkParts: value('HOLDFAST_CHECK_PARTS', readParts) ?? 13,
		timeZone: value('TZ', readTimeZone) ?? ownTimeZone(),
		concurrency: value('HOLDFAST_CONCURRENCY', readConcurrency) ?? 2,
		stallLimitMs: value('HOLDFAST_STALL_LIMIT', readDuration) ?? 30 * 60_000,
		keepReplacedMs: value('HOLDFAST_KEEP_REPLACED', readDuration) ?? 72 * 3_600_000,
		restoreMarginBytes: value('HOLDFAST_RESTORE_MARGIN', readSize) ?? 2.25 * 1024 ** 3,
		importLimitBytes: value('HOLDFAST_IMPORT_LIMIT', readSize) ?? 100e9,
		lockTimeoutMs: value('HOLDFAST_LOCK_TIMEOUT', readDuration) ?? defaultLockTimeoutMs,
		listen: value('HOLDFAST_LISTEN', readListen) ?? {host: undefined, port: 9797},
		engineAddress: value('DOCKER_HOST', readEngineAddress) ?? 'unix:///var/run/docker.sock',
		logLevel: value('HOLDFAST_LOG_LEVEL', oneOf(...logLevels)) ?? 'info',
		labelPrefix: value('HOLDFAST_LABEL_PREFIX', readLabelPrefix) ?? defaultPrefix,
		labelDialects: value('HOLDFAST_LABEL_DIALECTS', readDialects) ?? [],
		image: value('HOLDFAST_IMAGE', readImage),
		container: value('HOLDFAST_CONTAINER', readContainer),
		workerLimits: {
			memoryBytes: value('HOLDFAST_WORKER_MEMORY', orUnlimited(readSize)),
			cpus: value('HOLDFAST_WORKER_CPUS', orUnlimited(readCpus)),
		},
	};
}
