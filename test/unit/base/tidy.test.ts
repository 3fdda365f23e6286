/** An agent tidies its memory when it has nothing to do, once each time. */
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {createEventHub, type RunEvent} from '../../../base/events.ts';
import {tidyWhenQuiet} from '../../../base/tidy.ts';
import {until} from '../../support/until.ts';

const event = {} as RunEvent;

test('it tidies when nothing was told for a while, and again after the next run; never after its end', async t => {
	const hub = createEventHub(error => t.fail(String(error)));
	let tidied = 0;
	const close = tidyWhenQuiet(hub, {afterMs: 100, collect: () => tidied++});
	t.teardown(close);
	for (let n = 0; n < 5; n++) {
		await delay(10);
		hub.send(event);
		t.is(tidied, 0);
	}

	await until('it tidies', async () => tidied === 1);
	await delay(250);
	t.is(tidied, 1, 'nothing was done since');
	hub.send(event);
	await until('it tidies again', async () => tidied === 2);
	hub.send(event);
	close();
	await delay(250);
	t.is(tidied, 2);
});

test('without a way to tidy nothing is wrong', async t => {
	const close = tidyWhenQuiet(
		createEventHub(() => {}),
		{afterMs: 1},
	);
	await delay(20);
	close();
	t.pass();
});
