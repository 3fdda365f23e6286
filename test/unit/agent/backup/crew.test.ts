/** Which sources are stored beside each other, and what becomes of those that fail. */
import test from 'ava';
import fc from 'fast-check';
import {crewOf, NothingLeftError} from '../../../../agent/backup/crew.ts';
import type {SourceResult} from '../../../../base/results.ts';

/** @param sizes what is expected of each source, by its name */
function scene(sizes: Record<string, number | undefined>) {
	const results = new Map<string, SourceResult>();
	const controller = new AbortController();
	const members = Object.entries(sizes).map(([name, bytes]) => ({planned: {name}, source: {name, expectedBytes: () => bytes}}));
	const crew = crewOf(members as unknown as Parameters<typeof crewOf>[0], results, {signal: controller.signal});
	const under = new Set<string>();
	const seen: string[] = [];
	return {
		results,
		controller,
		seen,
		store: async (fails: readonly string[] = []) =>
			crew.store(async ({name}) => {
				under.add(name);
				seen.push([...under].join(' '));
				await new Promise(setImmediate);
				under.delete(name);
				if (fails.includes(name)) {
					throw new Error(`${name} fails`);
				}
			}),
	};
}

test('little ones are stored beside each other, three at once; the rest in turn, after them', async t => {
	const {store, seen} = scene({big: 1e9, a: 1e6, b: 2e6, unknown: undefined, c: 3e6, d: 4e6});
	await store();
	t.deepEqual(seen.slice(0, 3), ['a', 'a b', 'a b c']);
	t.true(seen.every(names => names.split(' ').length <= 3));
	t.deepEqual(seen.slice(-2), ['big', 'unknown']);
	t.is(seen.length, 6);
});

test('one that fails keeps no other from being stored', async t => {
	const {store, seen, results} = scene({a: 1, b: 1, big: 1e9});
	await store(['a', 'big']);
	t.is(seen.length, 3);
	t.deepEqual(
		[...results.values()].map(({source, outcome, error}) => [source, outcome, error]),
		[
			['a', 'failed', 'a fails'],
			['big', 'failed', 'big fails'],
		],
	);
});

test('a cancel is waited for by all that are under way', async t => {
	const {store, seen, controller} = scene({a: 1, b: 1, big: 1e9});
	controller.abort(new Error('cancelled'));
	await t.throwsAsync(store(['a']), {message: 'cancelled'});
	t.deepEqual(seen, ['a', 'a b']);
});

const verbs = ['prepare', 'firstPass', 'arm', 'pin', 'store'] as const;

test('whichever verb fails of whichever source: it drops out, the others go on, and all are closed', async t => {
	const names = ['a', 'b', 'c'];
	const failing = fc.uniqueArray(fc.record({name: fc.constantFrom(...names), verb: fc.constantFrom(...verbs)}), {
		selector: ({name}) => name,
	});
	await fc.assert(
		fc.asyncProperty(failing, fc.boolean(), async (faults, pinStores) => {
			const done = new Map<string, string[]>(names.map(name => [name, []]));
			const verbOf = (name: string, verb: string) => async () => {
				done.get(name)?.push(verb);
				if (faults.some(fault => fault.name === name && fault.verb === verb)) {
					throw new Error(`${verb} of ${name} fails`);
				}

				return {snapshot: name, bytes: 1, addedBytes: 1, details: {}};
			};
			const members = names.map(name => ({
				planned: {name, container: {id: name}},
				source: {
					name,
					pinStores,
					pinNeedsItsContainer: name === 'a',
					...Object.fromEntries([...verbs, 'close'].map(verb => [verb, verbOf(name, verb)])),
				},
			}));
			const results = new Map<string, SourceResult>();
			const {signal} = new AbortController();
			const crew = crewOf(members as unknown as Parameters<typeof crewOf>[0], results, {signal, asleep: new Set(['a'])});
			const work = async () => {
				await crew.prepare();
				await crew.firstPass();
				await crew.arm();
				await crew.pinBefore(signal);
				await crew.pin(signal);
				await crew.store(async source => void (await source.store()));
			};
			const error = await work().catch((reason: unknown) => reason);
			await crew.close();
			const before = faults.filter(({verb}) => verb !== 'store').length;
			t.is(error instanceof NothingLeftError, before === names.length, String(error));
			for (const name of names) {
				const fault = faults.find(other => other.name === name);
				const last = fault === undefined ? verbs.length : verbs.indexOf(fault.verb) + 1;
				const expected = [...verbs.slice(0, last), 'close'];
				t.deepEqual(done.get(name), expected, `${name}: ${JSON.stringify(faults)}`);
				t.is(results.get(name)?.error, fault && `${fault.verb} of ${name} fails`);
			}
		}),
	);
});
