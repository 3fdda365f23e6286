/** The `holdfast.*` labels: their names, their values, and every mistake in them at once. */

import {defaultPrefix} from '../../base/label.ts';
import type {Problem} from '../../base/problem.ts';
import {readCronLine, readDrill} from '../../base/reading/cron-line.ts';
import type {Keep} from '../../base/reading/keep.ts';
import {readKeep} from '../../base/reading/keep.ts';
import {quote} from '../../base/reading/quote.ts';
import {nonEmptyText, type Reader} from '../../base/reading/reader.ts';
import {readWebAddress} from '../../base/reading/url.ts';
import {
	readContainerUser,
	readCopies,
	readDuration,
	readEnable,
	readImage,
	readName,
	readNames,
	readOnError,
	readQuiesce,
} from '../../base/reading/values.ts';
import {readArgv} from '../../base/reading/words.ts';
import type {Hook} from '../../docker/hooks.ts';
import type {HookLabel} from '../../docker/resume.ts';
import {kinds} from '../sources/kinds.ts';
import {type Labels, labelOf, labelValue, namesOf, orphans, unknownLabels} from './label-names.ts';

/** What the labels of one container ask for. Absent means: the default of docs/labels.md, decided by the plan. */
export interface Policy {
	group?: string | undefined;
	/** By kind of source: what the labels of the kind ask for. */
	sources: Readonly<Record<string, unknown>>;
	/** Five fields; an alias such as `@daily` is the line that it stands for. */
	schedule?: string | undefined;
	/** When it is stopped for the backup, whatever is done at other times; like `schedule`. */
	scheduleCold?: string | undefined;
	keep?: Keep | undefined;
	/** Names; absent: all that are configured. */
	copies?: readonly string[] | undefined;
	/** The address of a dead man's switch of its own. */
	ping?: string | undefined;
	quiesce?: 'none' | 'pause' | 'stop' | 'snapshot' | undefined;
	quiesceWith: readonly string[];
	quiesceTimeoutMs?: number | undefined;
	before?: Hook | undefined;
	after?: Hook | undefined;
	restoreBefore?: Hook | undefined;
	restoreAfter?: Hook | undefined;
	restoreStop?: readonly string[] | undefined;
	restoreWarning?: string | undefined;
	/** Like `schedule`; or `false`: never by itself. */
	drill?: string | undefined;
	drillSql?: string | undefined;
	/** What the server of a rehearsal is made of, where it is not the container's own image. */
	drillImage?: string | undefined;
}

const defaultHookTimeoutMs = 30_000;

/** Whether the labels ask for a target at all, well or badly: `false` and nothing do not. */
export function isEnabled(labels: Labels, prefix = defaultPrefix): boolean {
	const value = labelValue(labels, `${prefix}enable`);
	return value !== undefined && value !== 'false';
}

/** Reads one label; a value that breaks its rule is reported and counts as absent. */
type ReadLabel = <Value>(name: string, reader: Reader<Value>) => Value | undefined;

/**
 * All labels of one container. Never throws: what cannot be read is a problem, and absent from the policy.
 *
 * @param subject whose labels they are, for the messages
 */
export function parseLabels(
	labels: Labels,
	{prefix = defaultPrefix, subject}: {prefix?: string; subject: string},
): {policy: Policy; problems: Problem[]} {
	const problems = unknownLabels(labels, {prefix, subject});
	const read: ReadLabel = (name, reader) => {
		const text = labelValue(labels, prefix + name);
		const result = text === undefined ? undefined : reader(text);
		if (result !== undefined && 'rule' in result) {
			problems.push({message: `\`${subject}\`: \`${prefix}${name}\` ${result.rule}, got ${quote(result.got ?? text ?? '')}`});
			return undefined;
		}

		return result?.value;
	};

	read('enable', readEnable);
	const policy = {
		group: read('group', readName),
		sources: readSources(labels, prefix, read),
		...readTiming(read),
		before: readHook(read, 'before'),
		after: readHook(read, 'after'),
		restoreBefore: readHook(read, 'restore.before'),
		restoreAfter: readHook(read, 'restore.after'),
		restoreStop: read('restore.stop', readNames),
		restoreWarning: read('restore.warning', nonEmptyText),
		drillSql: read('drill.sql', nonEmptyText),
		drillImage: read('drill.image', readImage),
	};
	problems.push(...orphans(labels, {prefix, subject}));
	return {policy, problems};
}

function readSources(labels: Labels, prefix: string, read: ReadLabel): Policy['sources'] {
	const policies = kinds.map(kind => {
		const given = Object.entries(kind.labels).map(([name, reader]) => [name, read(name, reader)]);
		const named = [...namesOf(labels, kind, prefix)].map(
			([name, own]) =>
				[
					name,
					Object.fromEntries(own.map(each => [each.behind, read(labelOf(kind.kind, each), kind.named?.[each.behind] ?? nonEmptyText)])),
				] as const,
		);
		return [kind.kind, kind.policy(Object.fromEntries(given), new Map(named))];
	});
	return Object.fromEntries(policies);
}

function readTiming(
	read: ReadLabel,
): Pick<Policy, 'schedule' | 'scheduleCold' | 'keep' | 'copies' | 'ping' | 'quiesce' | 'quiesceWith' | 'quiesceTimeoutMs' | 'drill'> {
	return {
		schedule: read('schedule', readCronLine),
		scheduleCold: read('schedule.cold', readCronLine),
		keep: read('keep', readKeep),
		copies: read('copies', readCopies),
		ping: read('ping', readWebAddress),
		quiesce: read('quiesce', readQuiesce),
		quiesceWith: read('quiesce.with', readNames) ?? [],
		quiesceTimeoutMs: read('quiesce.timeout', readDuration),
		drill: read('drill', readDrill),
	};
}

/** Whether a backup goes on without one that failed can be said; a restore never does. */
function readHook(read: ReadLabel, name: HookLabel): Hook | undefined {
	const argv = read(name, readArgv);
	const rest = {
		user: read(`${name}.user`, readContainerUser),
		timeoutMs: read(`${name}.timeout`, readDuration) ?? defaultHookTimeoutMs,
		onError: (name.startsWith('restore.') ? undefined : read(`${name}.on-error`, readOnError)) ?? 'fail',
	};
	return argv === undefined ? undefined : {argv, ...rest};
}
