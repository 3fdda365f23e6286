/**
 * A stream is put back by its own command, while the service runs and its dependents are stopped. What is there is kept as a stream first, and played
 * back in the same way.
 */
import * as z from 'zod';
import {succeed} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {sourcePath} from '../../repository/names.ts';
import {dumpToFile} from '../feed.ts';
import {isUntouched, type RestoreContext, type Restoring, type RestoringSource, replaced, type UndoContext} from '../restoring.ts';
import {assertKept, keptBy, safetyOf} from '../safety.ts';
import type {Among} from '../source.ts';
import {streamSource} from './backup.ts';
import {consume} from './consume.ts';
import {streamContainer} from './container.ts';
import type {PlannedStream} from './plan.ts';
import {EmptyStreamError} from './produce.ts';

const argv = z.tuple([z.string()], z.string());

export const replacedStream = replaced.extend({
	kind: z.literal('stream'),
	stream: z.string(),
	/** What takes it back. */
	restore: argv,
	user: z.string().optional(),
	timeoutMs: z.number(),
	safety: z.string().nullable(),
	/** What was there gave an empty stream, of which there is no snapshot: an empty one brings it back. */
	wasEmpty: z.boolean().optional(),
});

export type ReplacedStream = z.infer<typeof replacedStream>;

export function streamRestoring(source: RestoringSource<PlannedStream>, context: RestoreContext, {index}: Pick<Among, 'index'>): Restoring {
	const {name, stream, policy, stored} = source;
	const {worker, signal, staging, tell} = context;
	const file = `${staging}/restore-${index}.stream`;
	const container = streamContainer(context.engine, source.container, {stream, user: policy.user});
	// What is damaged need not stand its check to be kept.
	const live: PlannedStream = {...source, policy: {...policy, moment: 'after', check: undefined}};
	const safety = safetyOf(context, keeping => streamSource(live, keeping, {index}));
	const replacement: ReplacedStream = {
		kind: 'stream',
		source: name,
		stream,
		restore: [...restoreOf(source)],
		...(policy.user === undefined ? {} : {user: policy.user}),
		timeoutMs: policy.timeoutMs,
		safety: null,
	};
	const staged = async (signalOfRead: AbortSignal) => worker({argv: ['cat', '--', file], signal: signalOfRead});

	return {
		name,
		async load() {
			context.remember(replacement);
			await container.endLeft();
			await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file});
			const bytes = Number(await succeed(worker, {argv: ['stat', '--format=%s', '--', file]}));
			if (bytes !== stored.bytes) {
				throw new RunError(`the stream must have ${stored.bytes} bytes, and has ${bytes}`);
			}

			if (policy.check !== undefined) {
				await consume({stream, policy, part: 'check', container, open: staged, signal});
			}

			await safety.prepare();
		},
		ready: safety.arm,
		async keep() {
			const kept = await keptBy(safety).catch((error: unknown) => {
				signal.throwIfAborted();
				if (error instanceof Error && error.cause instanceof EmptyStreamError) {
					return {safety: null, wasEmpty: true};
				}

				throw new RunError(`what is there now cannot be kept, so it is not replaced: ${explain(error)}`, {
					hint: `mend it, or empty it, so that \`${policy.argv[0]}\` succeeds`,
				});
			});
			context.remember<ReplacedStream>({...replacement, ...kept});
		},
		async swap() {
			await consume({
				stream,
				policy,
				part: 'restore',
				container,
				open: staged,
				onBytes: bytes => tell({type: 'progress', source: name, bytes, totalBytes: stored.bytes}),
				signal,
			});
			await succeed(worker, {argv: ['rm', '-f', '--', file]});
		},
		close: safety.close,
	};
}

/** The plan has no place for one that has none. @throws */
function restoreOf({name, policy: {restore}}: PlannedStream) {
	if (restore === undefined) {
		throw new Error(`\`${name}\` has nothing that takes it back`);
	}

	return restore;
}

/** Plays back what was kept. Nothing of a restore that did not begin to swap. */
export async function rollBackStream(old: ReplacedStream, context: UndoContext): Promise<void> {
	const {source, stream, restore, user, timeoutMs, safety, wasEmpty, unkept} = old;
	const {engine, restic, target, signal} = context;
	const container = streamContainer(engine, context.container(source), {stream, user});
	await container.endLeft();
	if (isUntouched(old)) {
		return;
	}

	assertKept({source, unkept});
	if (safety !== null || wasEmpty) {
		await consume({
			stream,
			policy: {argv: restore, restore: [...restore], user, timeoutMs, moment: 'after'},
			part: 'restore',
			container,
			open: safety === null ? undefined : async either => restic.dump(safety, sourcePath(target, source), either),
			signal,
		});
	}
}

/** What would keep it from being played back. */
export async function obstaclesToStream(
	{source, stream}: ReplacedStream,
	{engine, container}: Pick<UndoContext, 'engine' | 'container'>,
): Promise<string[]> {
	const {id, name} = container(source);
	const {state} = await engine.inspect(id);
	return state === 'running' ? [] : [`container \`${name}\`, which takes \`stream:${stream}\` back, is ${state}: \`docker start ${name}\``];
}
