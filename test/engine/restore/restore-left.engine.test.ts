/** A restore that fails half way and cannot be put back: the application is started, and what it writes then is nobody's to undo but a person's. Lane: rests. Turns: restore. */
import {rename} from 'node:fs/promises';
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {killProcesses, runs} from '../../support/machine/processes.ts';
import {allOf, startShop} from '../../support/shop.ts';
import {connect} from '../../support/stack/connect.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-the-tests-of-this-file';

test('what could not be put back is put back when a person says so, and never by itself', async t => {
	t.timeout(10 * 60_000);
	// Its files are written in place: what is renamed can always be renamed back
	const shop = await startShop(t, {holdfast: {environment: {HOLDFAST_API_TOKEN: token}}, exclude: 'none-[x]'});
	const {stack, target} = shop;
	await shop.write('first');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await shop.write('second');

	let agent = await connect({stack, token});
	const {run} = await agent.call<{run: string}>('restore', {target});
	const repository = await docker(['volume', 'inspect', '--format', '{{.Mountpoint}}', `${stack.project}_hf-repository`]);
	const isRestic = (argv: readonly string[]) => runs(argv, 'restic') && argv.some(word => word.includes(`/${target}/`));
	let isGone = false;
	for await (const event of agent.follow(run)) {
		if (!isGone && event.type === 'step' && event.step === 'swap' && event.subject?.includes('volume:')) {
			isGone = true;
			await rename(`${repository}/config`, `${repository}/config-gone`);
			killProcesses(isRestic);
		}
	}

	const result = await agent.result<RestoreResult>(run);
	t.is(result.outcome, 'failed');
	t.regex(result.error ?? '', new RegExp(`could not all be put back.*holdfast restore undo ${run}`, 's'));
	t.is(await stack.state('app'), 'running', 'it is tried for two minutes; then the application is started');

	await stack.exec('app', 'sh', '-c', 'echo precious >/data/written-since');
	await rename(`${repository}/config-gone`, `${repository}/config`);
	await stack.compose('restart', 'holdfast');
	await stack.ready();
	agent = await connect({stack, token});
	const lives = async () => (await stack.docker(['logs', stack.container('holdfast')])).match(/repository \w+ is open/g)?.length;
	await until('the agent to have looked for what is to be recovered', async () => (await lives()) === 2);
	const known = await agent.call<Array<{run: string; trigger: string}>>('runs?limit=10');
	t.deepEqual(
		known.filter(({trigger}) => trigger === 'recovery' || trigger === 'roll-back'),
		[],
	);
	t.is(await stack.exec('app', 'cat', '/data/written-since'), 'precious');

	const undone = await stack.holdfast('restore', 'undo', run, '--json');
	t.is(undone.exitCode, 0, undone.stderr);
	t.is(await shop.read(), allOf('second'));
	t.deepEqual(await shop.kept(), []);
});
