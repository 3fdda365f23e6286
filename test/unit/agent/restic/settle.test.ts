import test from 'ava';
import {settle} from '../../../../agent/restic/settle.ts';
import {RepositoryError} from '../../../../base/errors.ts';

const start = Date.UTC(2026, 0, 1);

interface Setting {
	/** Ids by what they are, in the order in which restic tries them. `other`: its password is another. */
	keys: Record<string, 'good' | 'dud' | 'other'>;
	/** Seconds before the start. */
	age?: number;
	hasPacks?: boolean;
	/** What happens when so many seconds have passed. */
	later?: Record<number, (keys: Record<string, 'good' | 'dud' | 'other'>) => void>;
}

/** restic on a repository with such keys. */
function setUp({keys, age = 0, hasPacks = false, later = {}}: Setting) {
	let now = start;
	const removed: string[] = [];
	const open = (hint?: string): string => {
		const hinted = Object.keys(keys).filter(id => hint !== undefined && id.startsWith(hint));
		const first = hinted.length === 1 && keys[hinted[0] ?? ''] !== 'other' ? hinted[0] : Object.keys(keys).find(id => keys[id] !== 'other');
		if (first === undefined || keys[first] === 'dud') {
			throw new RepositoryError('failed', `opening: config or key ${first} is damaged: ciphertext verification failed`);
		}

		return first;
	};
	const restic = {
		id: async (_signal?: AbortSignal, hint?: string) => `opened by ${open(hint)}`,
		async keys(hint?: string) {
			const current = open(hint);
			return Object.keys(keys).map(id => ({id, isCurrent: id === current, created: new Date(start - age * 1000)}));
		},
		async removeKey(id: string, by: string) {
			assertOther(id, open(by));
			removed.push(id);
			delete keys[id];
		},
		isEmpty: async () => !hasPacks,
	};
	const assertOther = (id: string, current: string) => {
		if (id === current) {
			throw new Error('refusing to remove key currently used to access repository');
		}
	};
	const clock = {
		now: () => now,
		async sleep(ms: number) {
			const before = now;
			now += ms;
			for (const [seconds, happen] of Object.entries(later)) {
				const at = start + Number(seconds) * 1000;
				if (before < at && at <= now) {
					happen(keys);
				}
			}
		},
	};
	return {
		removed,
		waited: () => (now - start) / 1000,
		settle: async ({isMade = false, isFolder = false, refuses = false} = {}) => {
			const removeKey = async () => Promise.reject(new RepositoryError('refused', 'it may not be removed'));
			return settle(refuses ? {...restic, removeKey} : restic, {isMade, folder: isFolder ? '/nowhere' : undefined, clock});
		},
	};
}

test('an old one is opened at once, whatever keys it has; and nothing of it is removed', async t => {
	const one = setUp({keys: {a1000000: 'good'}, age: 3600});
	t.is(await one.settle(), 'opened by a1000000');
	const many = setUp({keys: {a1000000: 'good', b1000000: 'dud', c1000000: 'other'}, age: 3600});
	t.is(await many.settle(), 'opened by a1000000');
	t.deepEqual([one.waited(), many.waited(), many.removed], [0, 0, []]);
});

test('one that was made in a folder has one key; one on a server is looked at again a little later, by who made it and who finds it', async t => {
	const folder = setUp({keys: {a1000000: 'good'}});
	t.is(await folder.settle({isMade: true, isFolder: true}), 'opened by a1000000');
	t.is(folder.waited(), 0);
	for (const isMade of [true, false]) {
		const server = setUp({keys: {a1000000: 'good'}});
		t.is(await server.settle({isMade}), 'opened by a1000000');
		t.is(server.waited(), 10);
	}
});

test('of several that made it at once the key that opens it is left, though restic tries another first, and though ids begin alike', async t => {
	for (const keys of [
		{a1000000: 'dud', b1000000: 'dud', c1000000: 'good'},
		{a1000000: 'good', b1000000: 'dud', c1000000: 'dud'},
		{a1000000: 'dud', a2000000: 'dud', a3000000: 'good', b1000000: 'dud'},
	] as const) {
		const several = setUp({keys: {...keys}});
		t.is(await several.settle({isMade: true}), `opened by ${Object.entries(keys).find(([, is]) => is === 'good')?.[0]}`);
		t.is(several.waited(), 60, 'nobody is at it any more');
		t.deepEqual(several.removed.length, Object.keys(keys).length - 1);
	}
});

test('who writes its configuration late has the last word', async t => {
	const late = setUp({
		keys: {a1000000: 'good'},
		later: {
			5(keys) {
				keys.b1000000 = 'dud';
			},
			40(keys) {
				keys.a1000000 = 'dud';
				keys.b1000000 = 'good';
			},
		},
	});
	t.is(await late.settle({isMade: true}), 'opened by b1000000');
	t.deepEqual(late.removed, ['a1000000']);
});

test('nothing is removed of one in which something is stored, nor a key of another password', async t => {
	const stored = setUp({keys: {a1000000: 'dud', b1000000: 'good'}, hasPacks: true});
	await t.throwsAsync(stored.settle(), {message: /key a1000000 is damaged/});
	t.deepEqual(stored.removed, []);
	const other = setUp({keys: {a1000000: 'other', b1000000: 'dud', c1000000: 'good'}});
	t.is(await other.settle(), 'opened by c1000000');
	t.deepEqual(other.removed, ['b1000000']);
});

test('where a key cannot be removed, the one that restic tries first is good enough; else it is said why', async t => {
	const refuse = (keys: Setting['keys']) => {
		const {removed, ...scene} = setUp({keys});
		return {...scene, settle: async () => scene.settle({isMade: true, refuses: true})};
	};
	t.is(await refuse({a1000000: 'good', b1000000: 'dud'}).settle(), 'opened by a1000000');
	await t.throwsAsync(refuse({a1000000: 'dud', b1000000: 'good'}).settle(), {message: /may not be removed/});
});

test('one whose configuration is damaged stays as it is', async t => {
	const damaged = setUp({keys: {a1000000: 'dud', b1000000: 'dud'}});
	await t.throwsAsync(damaged.settle(), {message: /key a1000000 is damaged/});
	t.deepEqual(damaged.removed, []);
});
