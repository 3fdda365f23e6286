/** One save of a server: begun, awaited, and known from every other. */
import {setTimeout as delay} from 'node:timers/promises';
import {output} from '../../../base/command.ts';
import {CancelledError, PinBlockedError, RunError} from '../../../base/errors.ts';
import {room} from '../../../base/units.ts';
import {freeRoom} from '../room.ts';
import {ValkeyRefusal} from './client.ts';
import type {ValkeyServer} from './server.ts';

type Info = ReadonlyMap<string, string>;

const firstLookMs = 20;
const lookEveryMs = 500;

/** A save that has written nothing for so long does not go on. */
const stalledMs = 10 * 60_000;

/** How long somebody else's save, or rewrite of the append-only file, is waited for. */
const othersMs = 15 * 60_000;

const isBusy = (info: Info): boolean =>
	['rdb_bgsave_in_progress', 'aof_rewrite_in_progress', 'aof_rewrite_scheduled'].some(name => (info.get(name) ?? '0') !== '0');

/** How far a process that saves is: it changes while it works. */
const progressOf = (info: Info): string =>
	['current_save_keys_processed', 'current_cow_size', 'rdb_current_bgsave_time_sec', 'aof_current_rewrite_time_sec']
		.slice(0, info.has('current_save_keys_processed') ? 2 : undefined)
		.map(name => info.get(name))
		.join(' ');

/** While the application runs: what another process saves began before the moment. */
export async function untilIdle(server: ValkeyServer, signal: AbortSignal, onWait: () => void): Promise<void> {
	const deadline = performance.now() + othersMs;
	for (let isTold = false; isBusy(await server.info(signal)); isTold = true) {
		if (!isTold) {
			onWait();
		}

		if (performance.now() > deadline) {
			throw new RunError(
				`the server ${server.where} has been saving, or rewriting its append-only file, for ${othersMs / 60_000} minutes`,
				{
					hint: "see the server's log: it saves one thing at a time",
				},
			);
		}

		await pause(lookEveryMs, signal);
	}
}

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
	await delay(ms, undefined, {signal}).catch(() => {
		throw new CancelledError('cancelled while waiting for a save');
	});
};

export interface Begun {
	/** How many saves there had been; undefined: the server does not count them (before 7.0). */
	saves: number | undefined;
	/** By the server's clock, in seconds since 1970: the process that saves began between them. */
	from: number;
	to: number;
}

/** What it holds is of this moment: the process that saves has it when the server answers. @throws {PinBlockedError} while another process saves */
export async function beginSave(server: ValkeyServer, signal: AbortSignal): Promise<Begun> {
	const before = await server.info(signal);
	const said = await server.tell(['BGSAVE'], signal).catch((error: unknown) => {
		throw error instanceof ValkeyRefusal ? explained(error, server) : error;
	});
	if (!said.includes('Background saving started')) {
		throw atAnotherSave(server, said);
	}

	const after = await server.info(signal);
	const saves = before.get('rdb_saves');
	return {saves: saves === undefined ? undefined : Number(saves), from: secondsOf(before, tickMs), to: secondsOf(after)};
}

/** The file has its time by `time(2)`, which may be behind the clock that the server's answers have it by, for as long as the kernel's tick takes: at most 10 ms. */
const tickMs = 20;

const secondsOf = (info: Info, lessMs = 0): number =>
	Math.floor((Number(info.get('server_time_usec') ?? Number.NaN) / 1000 - lessMs) / 1000);

const atAnotherSave = ({where}: ValkeyServer, said: string): PinBlockedError =>
	new PinBlockedError(`the server ${where} is at another save: ${said}`, {
		hint: 'back it up again when that is over (`rdb_bgsave_in_progress` and `aof_rewrite_in_progress` of `INFO persistence` are 0)',
	});

function explained({said}: ValkeyRefusal, server: ValkeyServer): Error {
	if (/in progress|child process|another/i.test(said)) {
		return atAnotherSave(server, said);
	}

	return new RunError(`the server ${server.where} cannot save: ${said}`, {
		hint: "see the server's log; where it cannot fork, the host lacks memory, or `vm.overcommit_memory=1` is not set",
	});
}

/** @throws where it failed, or where it is not known any more that what lies there is of this save */
export async function untilSaved(server: ValkeyServer, {saves}: Begun, signal: AbortSignal): Promise<void> {
	let seen = '';
	let since = performance.now();
	for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 2, lookEveryMs)) {
		const info = await server.info(signal);
		if (info.get('rdb_bgsave_in_progress') === '0') {
			assertSaved(server, info, saves);
			return;
		}

		const progress = progressOf(info);
		if (progress !== seen) {
			seen = progress;
			since = performance.now();
		} else if (performance.now() - since > stalledMs) {
			throw new RunError(`the save of the server ${server.where} has not gone on for ${stalledMs / 60_000} minutes`);
		}

		await pause(waitMs, signal);
	}
}

function assertSaved({where, folder}: ValkeyServer, info: Info, saves: number | undefined): void {
	if (info.get('rdb_last_bgsave_status') !== 'ok') {
		throw new RunError(`the server ${where} could not save (its log says why; is there room in \`${folder}\`, and may it write there?)`, {
			hint: 'until a save succeeds it may refuse writes (MISCONF): mend the cause, then say `BGSAVE`',
		});
	}

	if (saves !== undefined && Number(info.get('rdb_saves')) !== saves + 1) {
		throw new RunError(`another save of the server ${where} has taken the place of the one that was begun in the moment`, {
			hint: 'back up again; it saves very often (`CONFIG GET save`)',
		});
	}
}

/** After what was saved was opened, and before it is believed: no other save has taken its place meanwhile. */
export async function assertStillOurs(server: ValkeyServer, {saves}: Begun, signal: AbortSignal): Promise<void> {
	const info = await server.info(signal);
	const isKnown = saves !== undefined && Number(info.get('rdb_saves')) === saves + 1 && info.get('rdb_bgsave_in_progress') === '0';
	if (saves !== undefined && !isKnown) {
		assertSaved(server, info, saves);
		throw new RunError(`another save of the server ${server.where} began as soon as this one was over`, {hint: 'back up again'});
	}
}

/** The process that saves may begin a little later than the server answers, by a clock of whole seconds. */
const toleranceSeconds = 1;

/** @param savedAt as the saved file says it */
export function assertOfMoment(savedAt: number, {from, to, saves}: Begun): void {
	const isLate = saves === undefined && savedAt > to + toleranceSeconds;
	if (savedAt < from || isLate) {
		throw new RunError(
			`what the server saved was begun at ${new Date(savedAt * 1000).toISOString()}, not in the moment (${new Date(from * 1000).toISOString()})`,
			{hint: 'back up again'},
		);
	}
}

/** What is saved is compressed as a rule, and may be a little more than before. */
const growth = 1.2;

/** About how many bytes a save takes. @param before what was saved last, where it is known */
export async function expectedOf(server: ValkeyServer, info: Info, before: number | undefined): Promise<number> {
	const {other, folder, files} = server;
	const {exitCode, stdout} = await output(other, {argv: ['stat', '-c', '%s', '--', `${folder}/${files.saved}`]});
	const there = exitCode === 0 ? Number(stdout) : 0;
	return Math.max(there, before ?? 0) * growth || memoryOf(info);
}

/** What keys and values take of the server's memory. */
export const memoryOf = (info: Info): number => Number(info.get('used_memory_dataset') ?? info.get('used_memory') ?? 0);

/** A save that fails for want of room may make the server refuse writes: so it is not begun. @param bytes that it is expected to take */
export async function assertCanSave(server: ValkeyServer, bytes: number, signal: AbortSignal): Promise<void> {
	const {other, folder, uid, gid, where} = server;
	if ((await output(other, {argv: ['test', '-w', folder], user: `${uid}:${gid}`, signal})).exitCode !== 0) {
		throw new RunError(`the server ${where} may not write to its own folder \`${folder}\`, so it cannot save`, {
			hint: `mount a volume (or a tmpfs) there that its user ${uid} may write, or give it \`--dir\``,
		});
	}

	const [free = Number.POSITIVE_INFINITY] = await freeRoom(other, [folder], signal).catch(() => []);
	if (free < bytes) {
		throw new RunError(
			`the server ${where} has too little room to save: about ${room(bytes)} are needed in \`${folder}\`, which has ${room(free)} left`,
			{hint: 'make room there: a save that fails would make the server refuse writes'},
		);
	}
}
