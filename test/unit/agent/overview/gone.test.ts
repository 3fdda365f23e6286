import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createMissing} from '../../../../agent/overview/gone.ts';
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
	const missing = createMissing({state, notices: {send: notice => told.push(notice)}, prefix: 'holdfast.', now: () => now});
	return {
		told: () => told.map(({kind, target}) => `${kind} ${target}`),
		forget: missing.forget,
		/** @returns what is said of who is missed */
		look(names: readonly string[], containers: readonly Partial<Container>[] = []) {
			const gone = missing.look(
				names.map(name => ({name}) as Target),
				containers as Container[],
			);
			now += minute;
			return gone.map(({target, message}) => `${target}: ${message}`);
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
