import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createMissing} from '../../../../agent/overview/gone.ts';
import type {FiledElsewhere} from '../../../../agent/overview/moved.ts';
import {openState} from '../../../../agent/state/state.ts';
import type {Target} from '../../../../agent/targets/target.ts';
import type {Notice} from '../../../../base/notices.ts';
import type {BackupResult} from '../../../../base/results.ts';
import type {Container} from '../../../../docker/container.ts';

const minute = 60_000;

function setUp(t: ExecutionContext) {
	const state = openState(join(mkdtempSync(join(tmpdir(), 'holdfast-gone-')), 'state.db'));
	t.teardown(() => state.close());
	state.insertRun({run: 'r1', target: 'shop/app', operation: 'backup', trigger: 'schedule', queuedAt: 1});
	state.startRun('r1', 1);
	state.finishRun('r1', 2, {outcome: 'success'} as BackupResult);
	const told: Notice[] = [];
	let now = 1_000_000;
	let elsewhere: FiledElsewhere | undefined;
	const missing = createMissing({
		state,
		own: {agent: 'a', host: 'here'},
		notices: {send: notice => told.push(notice)},
		ledger: {elsewhere: () => elsewhere},
		shrinkLimit: 0.5,
		prefix: 'holdfast.',
		now: () => now,
	});
	return {
		told: () => told.map(({kind, target}) => `${kind} ${target}`),
		forget: missing.forget,
		/** @returns what is said of who is missed */
		look(names: readonly string[], containers: readonly Partial<Container>[] = []) {
			const {gone, moved} = missing.look(
				names.map(name => ({name, members: []}) as unknown as Target),
				containers as Container[],
			);
			now += minute;
			return [...gone, ...moved].map(({target, message}) => `${target}: ${message}`);
		},
		/** @param ago in minutes, of the newest point there */
		fileElsewhere(ago: number, {isMoved = true, bytes = 100} = {}) {
			const time = new Date(now - ago * minute);
			const ours = {time: new Date(0), bytes: 100};
			elsewhere = {isMoved, agent: 'b', host: 'node-b', target: 'shop/app', time, bytes, ours, patienceMs: 60 * minute};
		},
		hereSince: () => state.hereSince('shop/app'),
		wait(minutes: number) {
			now += minutes * minute;
		},
	};
}

test('a target that was backed up is missed at once, and people are told once when it stays away; its return is told, too', t => {
	const {look, told} = setUp(t);
	t.deepEqual(look(['shop/app']), []);
	t.regex(look([]).join(), /^shop\/app: `shop\/app` was backed up until 1970-.* is not found any more; its restore points are kept/);
	t.deepEqual(told(), [], 'who is only recreated is not told of');
	for (let round = 0; round < 5; round++) {
		look([]);
	}

	t.deepEqual(told(), ['gone shop/app']);
	look(['shop/app']);
	t.deepEqual([look(['shop/app']), told()], [[], ['gone shop/app', 'back shop/app']]);
});

test('what was never backed up is not missed, nor what comes back in a moment', t => {
	const {look, told} = setUp(t);
	look(['shop/app', 'shop/new']);
	t.deepEqual(look(['shop/app']), []);
	look([]);
	t.deepEqual([look(['shop/app']), told()], [[], []]);
});

test('it says what is left of it', t => {
	const {look} = setUp(t);
	look(['shop/app']);
	t.regex(
		look([], [{name: 'shop-app-1', project: 'shop', service: 'app'}]).join(),
		/its container `shop-app-1` is there, without the label `holdfast.enable` .*deploy/,
	);
	t.regex(look([], [{name: 'shop-app2-1', project: 'shop', service: 'app2'}]).join(), /its project is there, and has no such service/);
});

test('a person says that it is gone on purpose; what is there, or was never known, cannot be forgotten', t => {
	const {look, told, forget} = setUp(t);
	look(['shop/app']);
	t.throws(() => forget('shop/app', ['shop/app']), {message: /is still there/});
	t.throws(() => forget('shop/other', []), {message: /no target `shop\/other` is missed/});
	look([]);
	forget('shop/app', []);
	for (let round = 0; round < 5; round++) {
		look([]);
	}

	t.deepEqual([look([]), told()], [[], []]);
});

test('who moved to another node, whose agent backs it up, is not missed; who was told that it is gone is told that, too', t => {
	const {look, told, fileElsewhere} = setUp(t);
	look(['shop/app']);
	for (let round = 0; round < 5; round++) {
		look([]);
	}

	fileElsewhere(1);
	t.regex(look([]).join(), /^shop\/app: `shop\/app` has moved to host `node-b`, whose agent b backs it up since: /);
	look([]);
	t.deepEqual(told(), ['gone shop/app', 'back shop/app']);
});

test('who moved and is backed up there no longer, or not whole, is missed again; and so is who only has the same name', t => {
	const {look, told, fileElsewhere} = setUp(t);
	look(['shop/app']);
	fileElsewhere(1);
	for (let round = 0; round < 5; round++) {
		look([]);
	}

	t.deepEqual(told(), []);
	fileElsewhere(61);
	t.regex(look([]).join(), /not found any more: Swarm has moved it to host `node-b`, whose agent b filed points of it .* the newest of 19/);
	t.deepEqual(told(), ['gone shop/app']);
	fileElsewhere(1, {bytes: 49});
	t.regex(
		look([]).join(),
		/not found any more: Swarm has moved it .* with 49 B, where the last one here has 100 B; its restore points are kept/,
	);
	fileElsewhere(1, {isMoved: false});
	t.regex(look([]).join(), /not found any more: agent b on host `node-b` files points of the same name, .* nobody knows/);
});

test('it is here since it was seen first, or came back from elsewhere; who is made anew stays', t => {
	const {look, wait, hereSince} = setUp(t);
	look(['shop/app']);
	t.is(hereSince(), 1_000_000);
	look([]);
	t.is(hereSince(), undefined);
	look(['shop/app']);
	t.is(hereSince(), 1_000_000);
	look([]);
	wait(10);
	look(['shop/app']);
	t.is(hereSince(), 1_000_000 + 14 * minute);
});

/** A backup of this agent's, by its sources and their sizes. */
const backup = (sources: Record<string, number>) =>
	({outcome: 'success', sources: Object.entries(sources).map(([source, bytes]) => ({source, bytes}))}) as unknown as BackupResult;

const writer = (name: string, ...volumes: string[]) =>
	({
		name,
		members: [{container: {mounts: volumes.map(volume => ({type: 'volume', volume, hostPath: '', path: `/${volume}`, readWrite: true}))}}],
	}) as unknown as Target;

test('a service that has another name by now is not missed once all that it wrote to is backed up by that name', t => {
	const state = openState(join(mkdtempSync(join(tmpdir(), 'holdfast-renamed-')), 'state.db'));
	t.teardown(() => state.close());
	let now = 1_000_000;
	let runs = 0;
	const missing = createMissing({
		state,
		own: {agent: 'a', host: 'here'},
		notices: {send() {}},
		ledger: {elsewhere: () => undefined},
		shrinkLimit: 0.5,
		prefix: 'holdfast.',
		now: () => now,
	});
	const backUp = (target: string, sources: Record<string, number>) => {
		const run = `r${runs++}`;
		state.insertRun({run, target, operation: 'backup', trigger: 'schedule', queuedAt: now});
		state.startRun(run, now);
		state.finishRun(run, now, backup(sources));
	};
	/** Who is missed, and who is backed up by another name. */
	const look = (...targets: Target[]) => {
		now += minute;
		const {gone, moved} = missing.look(targets, []);
		return {gone: gone.map(({target}) => target), moved: moved.map(({target, as}) => `${target} as ${as}`)};
	};
	const nobody = {gone: ['shop/db'], moved: []};
	look(writer('shop/db', 'db', 'conf'), writer('shop/other', 'x'));
	backUp('shop/db', {'volume:/db': 100, 'volume:/conf': 1});
	const renamed = writer('shop/database', 'db', 'conf', 'more');
	t.deepEqual(look(renamed), nobody, 'it has not been backed up yet');
	backUp('shop/database', {'volume:/db': 100});
	t.deepEqual(look(renamed), nobody, 'a source of it is not');
	backUp('shop/database', {'volume:/db': 9, 'volume:/conf': 1});
	t.deepEqual(look(renamed), nobody, 'much less than before');
	backUp('shop/database', {'volume:/db': 100, 'volume:/conf': 1, 'volume:/more': 1});
	t.deepEqual(look(writer('shop/database', 'db')), nobody, 'it writes elsewhere, too');
	t.deepEqual(look(renamed), {gone: [], moved: ['shop/db as shop/database']});
	t.deepEqual(look(writer('shop/other', 'x')), {gone: ['shop/database', 'shop/db'], moved: []}, 'that one is gone, too');
});
