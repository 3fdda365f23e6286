import test from 'ava';
import {assertClear} from '../../../../agent/restore/settle.ts';
import type {Engine} from '../../../../docker/engine.ts';

const replacement = {kind: 'postgres', source: 'postgres:shop', database: 'shop', fresh: 'shop_restore_1', oid: '1', old: 'shop_before_1'};
const container = () => ({id: 'db', name: 'shop-db-1'});

test('before an undo each that was touched is looked at, and a server that cannot be asked is named', async t => {
	const asked: string[] = [];
	const engine = {
		async inspect(id: string) {
			asked.push(id);
			return {state: 'exited'};
		},
	} as unknown as Engine;
	const {signal} = new AbortController();
	await assertClear({run: 'r', replacements: [{...replacement, touched: false}]}, {engine, signal, container});
	t.deepEqual(asked, []);
	await t.throwsAsync(assertClear({run: 'r', replacements: [{...replacement, touched: true}]}, {engine, signal, container}), {
		message: /container `shop-db-1` is exited/,
	});
	t.deepEqual(asked, ['db']);
});
