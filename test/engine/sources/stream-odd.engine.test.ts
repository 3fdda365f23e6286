/** Streams whose commands misbehave: nothing half is a point, nothing half stays restored, and nothing of them is left running. Lane: waits. Turns: odd. */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {ensureImage} from '../../support/images.ts';
import {connect} from '../../support/stack/connect.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const token = 'a-token-for-odd-streams';

/** What is there is one file, in memory of the container: nobody but the commands of the stream touches it. */
const write = '["sh", "-c", "cat /tmp/state"]';

const service = async (labels: Record<string, string>) => ({
	image: await ensureImage('holdfast-test/app:latest'),
	entrypoint: ['sh', '-c', 'echo first >/tmp/state; exec sleep infinity'],
	init: true,
	labels: {
		'holdfast.enable': 'true',
		...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`holdfast.stream.x${name}`, value])),
	},
});

const state = async (stack: Stack, name: string): Promise<string> => stack.exec(name, 'cat', '/tmp/state');

const put = async (stack: Stack, name: string, word: string) => stack.exec(name, 'sh', '-c', 'echo "$1" >/tmp/state', 'sh', word);

/** Commands that run in it, but for those that look. */
const running = async (stack: Stack, name: string): Promise<string> =>
	stack.exec(
		name,
		'sh',
		'-c',
		'for process in /proc/[0-9]*; do tr "\\0" " " <"$process/cmdline" 2>/dev/null; echo; done | grep -e 8675309 | grep -v grep || true',
	);

test('producers that are no dump: each says why, none makes a point, and nothing is left running', async t => {
	t.timeout(6 * 60_000);
	const services = {
		half: await service({'': write, '.check': 'grep -q last'}),
		nothing: await service({'': 'true'}),
		hangs: await service({'': '["sh", "-c", "setsid sleep 8675309 & echo some; exec sleep 8675309"]', '.timeout': '3s'}),
		complains: await service({'': '["sh", "-c", "while :; do echo no >&2; done"]', '.timeout': '3s'}),
		terminal: await service({'': '["sh", "-c", "stty size"]'}),
		missing: await service({'': 'no-such-program --all'}),
		nobody: await service({'': write, '.user': 'no-such-user'}),
	};
	const said = {
		half: /stream\.x\.check` \(`grep`\) exited with 1/,
		nothing: /`true` exited 0, and wrote nothing/,
		hangs: /`holdfast\.stream\.x` \(`sh`\) did not end within 3s/,
		complains: /did not end within 3s/,
		terminal: /ioctl.*/,
		missing: /no-such-program/,
		nobody: /no-such-user/,
	};
	const stack = await startStack(t, {services});
	for (const [name, expected] of Object.entries(said)) {
		const [result] = await stack.backup(`${stack.project}/${name}`);
		t.is(result?.outcome, 'failed', name);
		t.is(result?.point, null, name);
		t.regex(result?.error ?? '', expected, name);
	}

	t.is(await running(stack, 'hangs'), '');
	t.deepEqual(JSON.parse((await stack.holdfast('points', '--json')).stdout), []);
});

test('a cancel ends the producer with all that it started', async t => {
	t.timeout(4 * 60_000);
	const stack = await startStack(t, {
		holdfast: {environment: {HOLDFAST_API_TOKEN: token}},
		services: {app: await service({'': '["sh", "-c", "setsid sleep 8675309 & sleep 8675309 & echo some; wait"]'})},
	});
	const target = `${stack.project}/app`;
	const agent = await connect({stack, token});
	const run = await agent.start(target);
	await until('the producer to run', async () => (await running(stack, 'app')).includes('8675309'), {timeout: 60_000});
	await stack.holdfast('cancel', run);
	await until('all of it to end', async () => (await running(stack, 'app')) === '', {timeout: 30_000});
	const {outcome, error} = await agent.result<BackupResult>(run);
	t.is(outcome, 'failed');
	t.regex(error ?? '', /cancel/);
});

test('takers that fail, leave half, or are killed with the agent: what was there is there again', async t => {
	t.timeout(8 * 60_000);
	const services = {
		fails: await service({
			'': write,
			'.restore':
				'["sh", "-c", "cat >/tmp/new; if grep -q first /tmp/new; then echo half >/tmp/state; echo torn >&2; exit 9; fi; mv /tmp/new /tmp/state"]',
		}),
		leaves: await service({
			'': write,
			'.restore': '["sh", "-c", "read -r word; if [ $$word = first ]; then echo half >/tmp/state; else cat; echo $$word >/tmp/state; fi"]',
		}),
		slow: await service({
			'': write,
			'.restore':
				'["sh", "-c", "cat >/tmp/new; if grep -q first /tmp/new; then echo half >/tmp/state; setsid sh -c \\"sleep 20; echo late >/tmp/state; exec sleep 8675309\\"; fi; mv /tmp/new /tmp/state"]',
		}),
		empty: await service({'': write, '.restore': '["sh", "-c", "cat >/tmp/state"]'}),
		none: await service({'': write}),
	};
	const stack = await startStack(t, {services, holdfast: {environment: {HOLDFAST_API_TOKEN: token}}});
	await put(stack, 'leaves', 'first\nfurther');
	for (const name of Object.keys(services)) {
		const [result] = await stack.backup(`${stack.project}/${name}`);
		t.is(result?.outcome, 'success', result?.error);
		await put(stack, name, 'second');
	}

	const failed = await stack.restore(`${stack.project}/fails`);
	t.is(failed.outcome, 'failed');
	t.regex(failed.error ?? '', /stream\.x\.restore` \(`sh`\) exited with 9: torn/);
	t.is(await state(stack, 'fails'), 'second');

	const left = await stack.restore(`${stack.project}/leaves`);
	t.is(left.outcome, 'failed');
	t.regex(left.error ?? '', /exited 0 before it had read all/);
	t.is(await state(stack, 'leaves'), 'second');

	// Half of it is there when the agent is killed, and the command goes on without it.
	const agent = await connect({stack, token});
	await agent.call('restore', {target: `${stack.project}/slow`});
	await until('the restore to be half done', async () => (await state(stack, 'slow')) === 'half', {timeout: 60_000});
	await stack.docker(['kill', '--signal', 'KILL', stack.container('holdfast')]);
	await stack.docker(['start', stack.container('holdfast')]);
	await stack.ready();
	await until('what was there to be there again', async () => (await state(stack, 'slow')) === 'second', {timeout: 60_000});
	t.is(await running(stack, 'slow'), '', 'nothing is left that would write later');

	await stack.exec('empty', 'sh', '-c', ': >/tmp/state');
	const filled = await stack.restore(`${stack.project}/empty`);
	t.is(filled.outcome, 'success', filled.error);
	t.is(await state(stack, 'empty'), 'first');
	t.is((await stack.holdfast('restore', 'undo', filled.run)).exitCode, 0);
	t.is(await state(stack, 'empty'), '');

	const refused = await stack.holdfast('restore', `${stack.project}/none`, '--yes');
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr + refused.stdout, /`stream:x` cannot be put back: no label `stream\.x\.restore`/);
	t.is((await stack.holdfast('dump', `${stack.project}/none`, 'stream:x')).stdout.trim(), 'first');
});

test('before, inside and after the moment', async t => {
	t.timeout(4 * 60_000);
	const count = '["sh", "-c", "cat /data/count"]';
	const labels = {
		'holdfast.enable': 'true',
		'holdfast.quiesce.with': 'writer',
		...Object.fromEntries(
			['before', 'inside', 'after'].flatMap(moment => [
				[`holdfast.stream.${moment}`, count],
				[`holdfast.stream.${moment}.moment`, moment],
			]),
		),
	};
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {image, entrypoint: ['sleep', 'infinity'], init: true, volumes: ['data:/data:ro'], labels},
			writer: {
				image,
				init: true,
				volumes: ['data:/data'],
				entrypoint: ['sh', '-c', 'n=0; while :; do n=$$((n + 1)); echo $$n >/data/new; mv /data/new /data/count; sleep 0.01; done'],
			},
		},
	});
	await until('the writer to write', async () => Number(await stack.exec('app', 'cat', '/data/count')) > 0);
	const target = `${stack.project}/app`;
	const [result] = await stack.backup(target);
	t.is(result?.outcome, 'success', result?.error);
	t.true((result?.quiesceSeconds ?? 0) > 0);
	const read = async (moment: string): Promise<number> => {
		const snapshot = result?.sources.find(({source}) => source === `stream:${moment}`)?.snapshot ?? '';
		return Number(await stack.restic('dump', snapshot, `/${target}/stream/${moment}`));
	};
	const [before, inside, after] = [await read('before'), await read('inside'), await read('after')];
	t.true(before < inside && inside < after, `${before} ${inside} ${after}`);
	t.regex((await stack.holdfast('plan', target)).stdout, /`stream:after` is made after it.*`stream:before` is made before it/);
});
