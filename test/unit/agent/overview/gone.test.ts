import test, {type ExecutionContext} from 'ava';
import {createMissing} from '../../../../agent/overview/gone.ts';
import type {FiledElsewhere} from '../../../../agent/overview/moved.ts';
import type {Target} from '../../../../agent/targets/target.ts';
import type {Notice} from '../../../../base/notices.ts';
import type {BackupResult} from '../../../../base/results.ts';
import type {Container} from '../../../../docker/container.ts';
import {scratchState} from '../../../support/doubles/scratch-state.ts';

const minute = 60_000;

function setUp(t: ExecutionContext) {
	const state = scratchState(t);
	state.insertRun({run: 'r1', target: 'shop/app', operation: 'backup', trigger: 'schedule', queuedAt: 1});
	state.startRun('r1', 1);
	state.finishRun('r1', 2, {outcome: 'success'} as BackupResult);
	const told: Notice[] = [];
	let now = 1_000_000;
	let elsewhere: FiledElsewhere | undefined;
	let said: {what: string; to: string; at: Date} | undefined;
	const missing = createMissing({
		state,
		own: {agent: 'a', host: 'here'},
		ownership: () => ({targetOf: ({target, time}) => (target === said?.what && time <= said.at ? said.to : target)}),
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
		/** As `holdfast move` has it. */
		move(what: string, to: string) {
			said = {what, to, at: new Date(Math.floor(now / 1000) * 1000)};
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

test('a person says what it is called now: it is missed no more once that is there', t => {
	const {look, told, move} = setUp(t);
	look(['shop/app']);
	for (let round = 0; round < 5; round++) {
		look([]);
	}

	move('shop/app', 'store/app');
	t.regex(look([]).join(), /^shop\/app: .* is not found any more/, 'nor is that there');
	t.deepEqual([look(['store/app']), told()], [[], ['gone shop/app', 'back shop/app']]);
	t.deepEqual([look([]), told().length], [[], 2], 'the other was never backed up');
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

/** Targets that are backed up and looked at, for who has another name by now. */
function setUpNames(t: ExecutionContext) {
	const state = scratchState(t);
	let now = 1_000_000;
	let runs = 0;
	const missing = createMissing({
		state,
		own: {agent: 'a', host: 'here'},
		ownership: () => ({targetOf: ({target}) => target}),
		notices: {send() {}},
		ledger: {elsewhere: () => undefined},
		shrinkLimit: 0.5,
		prefix: 'holdfast.',
		now: () => now,
	});
	return {
		backUp(target: string, sources: Record<string, number>) {
			const run = `r${runs++}`;
			state.insertRun({run, target, operation: 'backup', trigger: 'schedule', queuedAt: now});
			state.startRun(run, now);
			state.finishRun(run, now, backup(sources));
		},
		/** A minute later. */
		look(...targets: Target[]) {
			now += minute;
			return missing.look(targets, []);
		},
		wait(minutes: number) {
			now += minutes * minute;
		},
	};
}

test('a service that has another name by now is not missed once all that it wrote to is backed up by that name', t => {
	const names = setUpNames(t);
	const {backUp} = names;
	/** Who is missed, and who is backed up by another name. */
	const look = (...targets: Target[]) => {
		const {gone, moved} = names.look(...targets);
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

test('a project with a new name, and volumes of its own: who it probably is by now is told, with what to do, and it is missed all the same', t => {
	const names = setUpNames(t);
	const backUp = (target: string, bytes: number) => names.backUp(target, {'volume:/data': bytes});
	const look = (...targets: Target[]) =>
		names
			.look(...targets)
			.gone.map(({message, hint}) => `${message}\n${hint}`)
			.join('\n');
	const present = writer('new/app', 'new_data');
	look(writer('old/app', 'old_data'), writer('another/app', 'another_data'));
	backUp('old/app', 2000);
	names.wait(3 * 24 * 60);
	const said = look(present, writer('another/app', 'another_data'));
	t.regex(
		said,
		/^`old\/app` was backed up until .* probably `new\/app` by now: .* That has no backup yet, and the last one of this had 2 kB/,
	);
	t.regex(said, /holdfast move old\/app new\/app; .* holdfast restore new\/app --from-target old\/app/);
	backUp('new/app', 10);
	t.regex(look(present), /The newest backup of that has 10 B, and the last one of this had 2 kB/);
	t.notRegex(look(writer('new/app', 'new_other')), /probably/, 'it writes to something else');
	t.notRegex(look(present, writer('newer/app', 'newer_data')), /probably/, 'two could be it');
});
