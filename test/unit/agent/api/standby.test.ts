import {createServer} from 'node:http';
import test from 'ava';
import {createClient} from '../../../../agent/api/client.ts';
import {createStandby} from '../../../../agent/api/standby.ts';
import {RunError} from '../../../../base/errors.ts';
import {freePort} from '../../../support/free-port.ts';
import {until} from '../../../support/until.ts';

const why = new RunError('another agent works with the same state', {hint: 'end one'});

test('who waits for its state is well for as long as an update takes, and says to everybody what it waits for', async t => {
	let now = 0;
	const port = await freePort();
	const standby = createStandby({host: '127.0.0.1', port}, () => now);
	t.teardown(standby.close);
	const client = createClient({url: `http://127.0.0.1:${port}`, token: 'any'});
	await t.throwsAsync(client.health(), {message: /no agent answers/}, 'nothing before it waits');
	standby.waitFor(why);
	standby.waitFor(why);
	await until('it to answer', async () => (await client.health()).healthy);
	t.deepEqual(await client.health(), {healthy: true, problems: ['another agent works with the same state (end one)']});
	const refused = await t.throwsAsync(client.status());
	t.like(refused, {message: 'another agent works with the same state', hint: 'end one'});
	t.is((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 503);
	now = 11 * 60_000;
	t.false((await client.health()).healthy, 'an update is over by then');
	t.is((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 503);
	await standby.close();
	await t.throwsAsync(client.health(), {message: /no agent answers/});
});

test('where the other agent has the port, too, that one answers until it has ended', async t => {
	const other = createServer((_, response) => response.end('the other'));
	await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
	const {port} = other.address() as {port: number};
	const standby = createStandby({host: '127.0.0.1', port});
	t.teardown(standby.close);
	const said = async () => (await fetch(`http://127.0.0.1:${port}/healthz`, {headers: {connection: 'close'}})).text();
	standby.waitFor(why);
	t.is(await said(), 'the other');
	other.close();
	other.closeAllConnections();
	await until('this one to answer', async () => {
		standby.waitFor(why);
		return (await said()).includes('same state');
	});
});
