import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import {createTurns} from '../../../../agent/runs/turns.ts';

const never = new AbortController().signal;

/** Lets everything that can go on without us go on. */
const settled = async () => {
	for (let count = 0; count < 20; count++) {
		await turn();
	}
};

test('an exclusive turn waits for those under way, and keeps later ones waiting', async t => {
	const turns = createTurns(2);
	const order: string[] = [];
	const take = async (name: string, exclusive: boolean) => {
		const end = await turns.take({exclusive, signal: never});
		order.push(name);
		return end;
	};
	const endFirst = await take('first', false);
	const alone = take('alone', true);
	const later = take('later', false);
	await settled();
	t.deepEqual(order, ['first']);
	endFirst();
	const endAlone = await alone;
	await settled();
	t.deepEqual(order, ['first', 'alone']);
	endAlone();
	(await later)();
	t.deepEqual(order, ['first', 'alone', 'later']);
});

test('a turn that is given up while it waits lets the later ones go on', async t => {
	const turns = createTurns(2);
	const end = await turns.take({exclusive: false, signal: never});
	const cancel = new AbortController();
	const alone = turns.take({exclusive: true, signal: cancel.signal});
	const later = turns.take({exclusive: false, signal: never});
	cancel.abort(new Error('enough'));
	await t.throwsAsync(alone, {message: 'enough'});
	(await later)();
	end();
	(await turns.take({exclusive: true, signal: never}))();
	await t.throwsAsync(turns.take({exclusive: false, signal: cancel.signal}), {message: 'enough'});
});

test('a turn that came outlives its signal', async t => {
	const turns = createTurns(1);
	const cancel = new AbortController();
	const end = await turns.take({exclusive: true, signal: cancel.signal});
	cancel.abort();
	let came = false;
	const next = turns.take({exclusive: false, signal: never}).then(endNext => {
		came = true;
		endNext();
	});
	await settled();
	t.false(came);
	end();
	await next;
});

const asked = fc.array(fc.record({exclusive: fc.boolean(), givenUp: fc.boolean(), rounds: fc.nat(5)}), {minLength: 1, maxLength: 20});

test('whatever is asked for: in order, never more than the limit, an exclusive one alone, nobody left waiting', async t => {
	await fc.assert(
		fc.asyncProperty(fc.integer({min: 1, max: 4}), asked, async (concurrency, requests) => {
			const turns = createTurns(concurrency);
			const now = new Map<number, boolean>();
			const begun: number[] = [];
			const controllers = requests.map(() => new AbortController());
			const all = requests.map(async ({exclusive, rounds}, index) => {
				const end = await turns.take({exclusive, signal: controllers[index]?.signal ?? never}).catch(() => undefined);
				if (end === undefined) {
					return;
				}

				begun.push(index);
				now.set(index, exclusive);
				if (now.size > concurrency || (now.size > 1 && [...now.values()].some(Boolean))) {
					throw new Error(`${[...now.keys()].join()} at once`);
				}

				for (let round = 0; round < rounds; round++) {
					await turn();
				}

				now.delete(index);
				end();
			});
			await turn();
			for (const [index, {givenUp}] of requests.entries()) {
				if (givenUp) {
					controllers[index]?.abort();
				}
			}

			await Promise.all(all);
			return begun.every((index, position) => position === 0 || (begun[position - 1] ?? 0) < index);
		}),
	);
	t.pass();
});
