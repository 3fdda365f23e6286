/** A SQLite database: pinned by a session in the worker, copied with the online backup API, checked, then stored. */
import {setTimeout as delay} from 'node:timers/promises';
import * as z from 'zod';
import {CancelledError, PinBlockedError, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {duration} from '../../../base/units.ts';
import {below} from '../../../docker/storage.ts';
import {defaultLockTimeoutMs} from '../../config/settings.ts';
import {mountPath, parseSource} from '../../repository/names.ts';
import {openSession, type Session} from '../session.ts';
import {type Among, littleBytes, type Source, type SourceContext} from '../source.ts';
import {storeStaged} from '../staged.ts';
import type {PlannedFile} from './plan.ts';
import {describeUnchecked, unchecked} from './unchecked.ts';

const described = {journalMode: z.string().optional(), pageSize: z.number().optional(), sqliteVersion: z.string().optional()};

const answer = z.union([
	z.object({found: z.object({bytes: z.number(), freeBytes: z.number()})}),
	z.object({opened: z.object({isHot: z.boolean(), ...described})}),
	z.object({pinned: z.object({heldMs: z.number(), rolledBack: z.boolean().optional(), ...described})}),
	z.object({blocked: z.string()}),
	z.object({stored: z.object({tables: z.number(), userVersion: z.number(), bytes: z.number(), unchecked: unchecked.optional()})}),
	z.object({error: z.string()}),
]);

type Answer = z.infer<typeof answer>;

const sqliteSession = shippedProgram('agent/sources/sqlite/session.program');

/** How long it is waited for between two tries of the moment while hooks are in force: what they did to the application is part of its outage. */
const lockTimeoutInHooksMs = 2000;

const lookEveryMs = 500;

const hints: ReadonlyArray<[RegExp, () => string]> = [
	[/^does not exist$/, () => `correct the label \`${label('sqlite')}\``],
	[
		/^is not readable as SQLite/,
		() => `take it as a file instead: \`${label('volumes')}\` with the mount that it is in, and \`${label('quiesce')}=stop\``,
	],
];

export function sqliteSource(planned: PlannedFile, context: SourceContext, {index}: Among): Source {
	const {name, path, mount, lockTimeoutMs = defaultLockTimeoutMs} = planned;
	const {signal, outage, tell} = context;
	const root = mountPath(context.target, parseSource(name).prefix, mount.path);
	const file = root + below(path, mount.path);
	const copy = `${context.staging}/${index}.sqlite`;
	let session: Session | undefined;
	let patienceMs = lockTimeoutMs;
	let isArmed = false;
	let expectedBytes: number | undefined;
	let pinned: Record<string, unknown> = {};

	const read = (line: string): Exclude<Answer, {error: string}> => {
		const said = answer.parse(JSON.parse(line));
		if ('error' in said) {
			throw new RunError(`\`${path}\` ${said.error}`, {hint: hints.find(([error]) => error.test(said.error))?.[1]()});
		}

		return said;
	};

	const ask = async (line: 'open' | 'pin' | 'store', either = signal) => {
		if (session === undefined) {
			throw new Error(`${line} before prepare`);
		}

		return read(await session.ask(line, either));
	};

	/** While the application runs. In hooks only for a little: then the pin meets the lock, and its tries are counted. */
	const waitUntilReadable = async ({isInHooks}: {isInHooks: boolean}): Promise<void> => {
		const begun = performance.now();
		for (let said = await ask('open'), isTold = false; 'blocked' in said; said = await ask('open')) {
			if (!isTold) {
				tell({type: 'warning', message: `\`${path}\` is held by its application for itself alone (${said.blocked}): waiting for it`});
				isTold = true;
			}

			if (isInHooks && performance.now() - begun > lockTimeoutInHooksMs) {
				break;
			}

			if (performance.now() - begun > patienceMs) {
				throw new RunError(
					`\`${path}\` was held by its application for itself alone for ${duration(lockTimeoutMs / 1000)}: ${said.blocked}`,
					{
						hint: `use \`${label('quiesce')}=stop\`, so that it is read when the application has let go of it`,
					},
				);
			}

			await delay(lookEveryMs, undefined, {signal}).catch(() => {
				throw new CancelledError('cancelled while waiting for a lock');
			});
		}

		patienceMs -= performance.now() - begun;
	};

	return {
		name,
		pinNeedsItsContainer: false,
		pinStores: false,
		expectedBytes: () => expectedBytes,
		async prepare() {
			session = await openSession(context.worker, {argv: [...sqliteSession, root, file, copy], signal});
			const said = read(await session.line(signal));
			// Locked or not, it tells now what would be an error later.
			const opened = await ask('open');
			const isWal = 'opened' in opened && opened.opened.journalMode === 'wal';
			if ('found' in said) {
				const {bytes, freeBytes} = said.found;
				expectedBytes = bytes;
				await context.room?.claim(name, bytes, isWal && bytes > littleBytes ? 'in turn' : 'in the moment', freeBytes);
			}
		},
		async firstPass() {},
		async arm() {
			if (!outage?.stops) {
				await waitUntilReadable({isInHooks: isArmed && outage?.isHooked === true});
			}

			isArmed = true;
		},
		async pin(moment) {
			const limit = AbortSignal.timeout(outage?.limitMs ?? lockTimeoutMs);
			const said = await ask('pin', AbortSignal.any([signal, moment, limit])).catch(async (error: unknown) => {
				// What it holds is let go of at once.
				await session?.close();
				throw limit.aborted && !signal.aborted && !moment.aborted
					? new RunError(
							`\`${path}\` could not be copied within ${(outage?.limitMs ?? 0) / 1000} s, in which its application could not write`,
							{
								hint: `raise \`${label('quiesce.timeout')}\`, or let the application use the journal mode WAL: then it is never held`,
							},
						)
					: error;
			});
			if ('blocked' in said) {
				// Who is stopped has let go of it: then it is somebody else's.
				const hint = outage?.stops ? undefined : `use \`${label('quiesce')}=stop\`, so that the app lets go of its locks`;
				throw new PinBlockedError(`\`${path}\` is locked by its app: ${said.blocked}`, {hint});
			}

			if ('pinned' in said) {
				const {heldMs, ...details} = said.pinned;
				outage?.onHeld(heldMs);
				pinned = details;
			}
		},
		async store() {
			const said = await ask('store');
			const stored = 'stored' in said ? said.stored : undefined;
			if (pinned.rolledBack === true) {
				const message = `\`${path}\` had a transaction that a crash has cut off: it is rolled back in the copy, and the original is as it was`;
				tell({type: 'warning', message});
			}

			if (stored?.unchecked !== undefined) {
				tell({type: 'warning', message: `\`${path}\` ${describeUnchecked(stored.unchecked)}`});
			}

			return storeStaged(context, name, copy, {path, ...pinned, ...stored});
		},
		async close() {
			await session?.close();
		},
	};
}
