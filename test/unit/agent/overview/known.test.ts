import test from 'ava';
import {assertKnown} from '../../../../agent/overview/known.ts';
import {NotFoundError} from '../../../../base/errors.ts';

const among = (names: readonly string[] | Error, ran: readonly string[] = []) => ({
	state: {runs: ({target = ''} = {}) => (ran.includes(target) ? [{}] : []) as never},
	survey: {
		async targets() {
			if (names instanceof Error) {
				throw names;
			}

			return names.map(name => ({name})) as never;
		},
	},
});

test('a name that is no target is refused, and names where they are; not one that was a target once, nor any where nobody knows', async t => {
	const error = await t.throwsAsync(assertKnown('shop/dv', among(['shop/db'])), {
		instanceOf: NotFoundError,
		message: /no target `shop\/dv`/,
	});
	t.regex(error?.hint ?? '', /holdfast targets/);
	await t.notThrowsAsync(assertKnown('shop/db', among(['shop/db'])));
	await t.notThrowsAsync(assertKnown('old/db', among(['shop/db'], ['old/db'])));
	await t.notThrowsAsync(assertKnown('shop/db', among(new Error('the engine is away'))));
});
