import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {lockState} from '../../../../agent/state/lock.ts';
import {until} from '../../../support/until.ts';

test('a state is one agent’s alone, until that ends, even if it is killed', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const path = join(folder, 'agent.lock');
	const first = lockState(path);
	const told: string[] = [];
	t.throws(() => lockState(path, ({message}) => told.push(message)), {message: /another agent works with the same state/});
	t.is(told.length, 1);
	first.release();

	const module = new URL('../../../../agent/state/lock.ts', import.meta.url).href;
	const other = execa(
		process.execPath,
		[
			'--disable-warning=ExperimentalWarning',
			'--input-type=module',
			'--eval',
			`const {lockState} = await import(${JSON.stringify(module)}); lockState(${JSON.stringify(path)}); console.log('locked'); setInterval(() => {}, 1000);`,
		],
		{reject: false},
	);
	await new Promise(resolve => other.stdout.once('data', resolve));
	t.throws(() => lockState(path), {message: /another agent/});
	other.kill('SIGKILL');
	await other;
	await until('the lock to be free', () => {
		lockState(path).release();
		return true;
	});
});

test('where nothing can be locked, nobody is kept out', t => {
	t.notThrows(() => lockState('/nowhere/agent.lock').release());
});
