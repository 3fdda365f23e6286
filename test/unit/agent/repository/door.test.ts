import test from 'ava';
import {createRepositoryDoor} from '../../../../agent/repository/door.ts';
import {RepositoryError} from '../../../../base/errors.ts';

const scene = () => {
	const known = new Map<string, string>();
	const appendOnly = new Set<string>();
	const disk: {id: string | undefined} = {id: undefined};
	let time = 0;
	let looks = 0;
	const door = createRepositoryDoor({
		restic: {
			async id() {
				looks += 1;
				if (disk.id === undefined) {
					throw new RepositoryError('missing', 'there is none');
				}

				return disk.id;
			},
			async init() {
				disk.id = 'made';
			},
		},
		repository: {location: '/repository'},
		state: {
			knownRepository: location => known.get(location),
			rememberRepository(location, id) {
				known.set(location, id);
			},
			isAppendOnly: location => appendOnly.has(location),
			rememberAccess(location, access) {
				access === 'full' ? appendOnly.delete(location) : appendOnly.add(location);
			},
		},
		now: () => time,
	});
	return {
		door,
		disk,
		looks: () => looks,
		pass(timeMs: number) {
			time += timeMs;
		},
	};
};

test('a repository is made where none was known, and is then looked at once for all who ask', async t => {
	const {door, disk, looks} = scene();
	t.is(await door.open(), 'made');
	t.is(disk.id, 'made');
	const before = looks();
	t.deepEqual(await Promise.all([door.open(), door.open()]), ['made', 'made']);
	t.is(looks(), before);
});

test('one that goes away is noticed after a while, and not made again', async t => {
	const {door, disk, pass} = scene();
	await door.open();
	disk.id = undefined;
	pass(4 * 60_000);
	t.is(await door.open(), 'made');
	pass(2 * 60_000);
	await t.throwsAsync(door.open(), {instanceOf: RepositoryError, message: /was here before/});
	t.is(disk.id, undefined);
	disk.id = 'made';
	t.is(await door.open(), 'made', 'looked at again at once');
});

test('a folder that cannot be used is said in its own words, and restic is not asked', async t => {
	const door = createRepositoryDoor({
		restic: {id: async () => t.fail() as never, init: async () => t.fail()},
		repository: {location: '/repository'},
		state: {knownRepository: () => undefined, rememberRepository() {}, isAppendOnly: () => false, rememberAccess() {}},
		examine: () => ({message: 'it belongs to somebody else', hint: 'chown it'}),
	});
	await t.throwsAsync(door.open(), {instanceOf: RepositoryError, message: 'it belongs to somebody else'});
});

test('a refusal to remove anything is learned, and forgotten when something was removed', async t => {
	const {door} = scene();
	await door.open();
	t.is(door.access(), 'full');
	t.false(door.learn(new RepositoryError('locked', 'somebody is at work')));
	t.is(door.access(), 'full');
	t.true(door.learn(new RepositoryError('refused', 'no')));
	t.is(door.access(), 'append-only');
	door.unlearn();
	t.is(door.access(), 'full');
});

test('what is refused in a folder that seemed to be usable is explained', async t => {
	const opening = async (message: string) => {
		const door = createRepositoryDoor({
			restic: {
				async id() {
					throw new RepositoryError('failed', message);
				},
				async init() {},
			},
			repository: {location: '/repository'},
			state: {
				knownRepository: () => undefined,
				rememberRepository() {},
				isAppendOnly: () => false,
				rememberAccess() {},
			},
			explain: () => ({message: 'the server takes root for nobody', hint: 'no_root_squash'}),
		});
		return t.throwsAsync(door.open());
	};
	t.like(await opening('mkdir /repository/keys: permission denied'), {message: 'the server takes root for nobody', hint: 'no_root_squash'});
	t.regex((await opening('a damaged file'))?.message ?? '', /damaged/);
});

test('who doubts while it is being made waits for that: it is not made twice', async t => {
	const made: string[] = [];
	const begun = Promise.withResolvers<void>();
	const go = Promise.withResolvers<void>();
	const door = createRepositoryDoor({
		restic: {
			async id() {
				const [id] = made;
				if (id === undefined) {
					throw new RepositoryError('missing', 'there is none');
				}

				return id;
			},
			async init() {
				begun.resolve();
				await go.promise;
				made.push(`of ${made.length}`);
			},
		},
		repository: {location: '/repository'},
		state: {knownRepository: () => made[0], rememberRepository() {}, isAppendOnly: () => false, rememberAccess() {}},
	});
	const first = door.open();
	await begun.promise;
	door.doubt();
	const second = door.open();
	go.resolve();
	t.deepEqual(await Promise.all([first, second]), ['of 0', 'of 0']);
	t.is(made.length, 1);
});

test('who doubts while it is being asked hears that answer, and the next one asks again: nobody waits behind a server that says nothing', async t => {
	let asked = 0;
	const answer = Promise.withResolvers<void>();
	const door = createRepositoryDoor({
		restic: {
			async id() {
				asked += 1;
				await answer.promise;
				return 'one';
			},
			async init() {},
		},
		repository: {location: 'rest:http://away/'},
		state: {knownRepository: () => 'one', rememberRepository() {}, isAppendOnly: () => false, rememberAccess() {}},
	});
	const first = door.open();
	door.doubt();
	const second = door.open();
	answer.resolve();
	t.deepEqual(await Promise.all([first, second]), ['one', 'one']);
	t.is(asked, 1);
	await door.open();
	t.is(asked, 2, 'it was doubted');
	await door.open();
	t.is(asked, 2);
});
