/** The labels of streams: commands of the container's own that write a dump, judge it and take it back. */
import {oneOf} from '../../../base/reading/reader.ts';
import {readContainerUser, readDuration} from '../../../base/reading/values.ts';
import {readArgv} from '../../../base/reading/words.ts';
import type {Given} from '../kind.ts';

type Argv = readonly [string, ...string[]];

/** When it is made: while everybody runs, before or after the moment, or while the others stand still. */
export type StreamMoment = 'before' | 'inside' | 'after';

export interface StreamPolicy {
	/** Writes the dump to its standard output. */
	argv: Argv;
	/** Reads it, and exits 0 where it is whole. */
	check?: Argv | undefined;
	/** Reads it, and puts it in the place of what is there. */
	restore?: Argv | undefined;
	/** Of all three; undefined: the container's. */
	user?: string | undefined;
	/** Of each. */
	timeoutMs: number;
	moment: StreamMoment;
}

/** By the names that people chose. */
export type StreamPolicies = ReadonlyMap<string, StreamPolicy>;

const defaultTimeoutMs = 12 * 60 * 60_000;

export const streamLabels = {
	'': readArgv,
	restore: readArgv,
	check: readArgv,
	user: readContainerUser,
	timeout: readDuration,
	moment: oneOf('before', 'inside', 'after'),
};

export const streamPolicies = (named: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map()): StreamPolicies =>
	new Map(
		[...named].flatMap(([name, read]) => {
			const given = read as Partial<Given<typeof streamLabels>>;
			const argv = given[''];
			return argv === undefined
				? []
				: [
						[
							name,
							{
								argv,
								check: given.check,
								restore: given.restore,
								user: given.user,
								timeoutMs: given.timeout ?? defaultTimeoutMs,
								moment: (given.moment ?? 'after') as StreamMoment,
							},
						] as const,
					];
		}),
	);
