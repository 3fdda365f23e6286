import test from 'ava';
import {assertOfMoment, beginSave} from '../../../../../agent/sources/valkey/save.ts';
import type {ValkeyServer} from '../../../../../agent/sources/valkey/server.ts';
import {explain, PinBlockedError} from '../../../../../base/errors.ts';

test('the clock of the saved file may be a tick behind: right after a second began it says the one before', async t => {
	const at = (usec: number) => {
		const info = new Map([['server_time_usec', String(usec)]]);
		return {where: 'here', info: async () => info, tell: async () => 'Background saving started'} as unknown as ValkeyServer;
	};
	const {signal} = new AbortController();
	const early = await beginSave(at(42_003_000), signal);
	t.notThrows(() => assertOfMoment(41, early));
	t.throws(() => assertOfMoment(40, early), {message: /not in the moment/});
	const later = await beginSave(at(42_500_000), signal);
	t.throws(() => assertOfMoment(41, later), {message: /not in the moment/});
});

test('a server that is at another save: another try of the moment, and what would help', async t => {
	const server = {
		where: 'here',
		info: async () => new Map(),
		tell: async () => 'Background saving scheduled',
	} as unknown as ValkeyServer;
	const error = await t.throwsAsync(beginSave(server, new AbortController().signal), {instanceOf: PinBlockedError});
	t.regex(explain(error), /^the server here is at another save: Background saving scheduled \(.*when that is over.*\)$/);
});
