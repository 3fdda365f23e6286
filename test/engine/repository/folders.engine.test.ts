/** Folders of the user, and an agent without capabilities: what cannot work is said in one line, at the start, by the doctor, and by a backup. Lane: waits. Turns: repository. */
import {chown, mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Finding} from '../../../base/shapes/targets.ts';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const socket = '/var/run/docker.sock:/var/run/docker.sock';

/** As `mkdir` makes them for somebody. */
const foldersOfUser = async (t: ExecutionContext, mode: number) => {
	const top = await mkdtemp(join(tmpdir(), 'holdfast-folders-'));
	t.teardown(() => rm(top, {recursive: true, force: true}));
	const folder = async (name: string) => {
		await mkdir(join(top, name), {mode});
		await chown(join(top, name), 1000, 1000);
		return join(top, name);
	};
	return {repository: await folder('backups'), state: await folder('state'), cache: await folder('cache')};
};

const logOf = async ({compose}: Stack): Promise<string> => compose('logs', '--no-log-prefix', 'holdfast');

const findings = async (stack: Stack): Promise<Finding[]> => JSON.parse((await stack.holdfast('doctor', '--json')).stdout);

const noStack = (t: ExecutionContext, text: string) => t.notRegex(text, /\.go:\d+|goroutine/);

for (const mode of [0o755, 0o700]) {
	test(`folders of uid 1000 with mode ${mode.toString(8)}`, async t => {
		t.timeout(10 * 60_000);
		const folders = await foldersOfUser(t, mode);
		const stack = await startStack(t, {
			services: {
				app: {
					image: await ensureImage('holdfast-test/app:latest'),
					volumes: ['data:/data'],
					labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true'},
				},
			},
			volumes: ['data', 'new-state'],
		});
		const owned = `belongs to uid 1000 (mode ${mode.toString(8)}), and Holdfast, which is uid 0 without the capability DAC_OVERRIDE, may not use it`;

		// The repository: the agent stays, for what it may have to put back, and says what is wrong.
		await stack.change({volumes: [socket, `${folders.repository}:/repository`, 'new-state:/state', 'hf-cache:/cache']});
		await until('the log says whose folder it is', async () => (await logOf(stack)).includes(`\`/repository\` ${owned}`), {
			timeout: 60_000,
		});
		const found = (await findings(stack)).filter(({level, subject}) => level === 'error' && subject === 'repository');
		t.regex(found[0]?.message ?? '', /`\/repository` belongs to uid 1000/);
		t.regex(found[0]?.hint ?? '', /chown -R 0.*cap_add: \[DAC_OVERRIDE\]/);
		const [failed] = await stack.backup('--all');
		t.is(failed?.outcome, 'failed');
		t.true(failed?.error?.includes(owned), failed?.error);
		noStack(t, `${JSON.stringify(found)}${failed?.error}${await logOf(stack)}`);

		// With the capability it works, as it does when the folder was given to root.
		await stack.change({
			cap_add: ['DAC_OVERRIDE'],
			volumes: [socket, `${folders.repository}:/repository`, 'new-state:/state', `${folders.cache}:/cache`],
		});
		await stack.ready();
		t.is((await stack.backup('--all'))[0]?.outcome, 'success');

		// The cache: slower, and said.
		await stack.change({volumes: [socket, 'hf-repository:/repository', 'hf-state:/state', `${folders.cache}:/cache`]});
		await until('the log says it of the cache', async () => (await logOf(stack)).includes(`\`/cache\` ${owned}`), {timeout: 60_000});
		const cache = (await findings(stack)).find(({subject}) => subject === 'cache');
		t.is(cache?.level, 'warning');
		t.regex(cache?.message ?? '', /every run asks the repository for all/);
		noStack(t, await logOf(stack));

		// The state: nothing is done without it.
		await stack.change({volumes: [socket, 'hf-repository:/repository', `${folders.state}:/state`, 'hf-cache:/cache'], restart: 'no'});
		await until('the agent ends', async () => (await stack.state('holdfast')) === 'exited', {timeout: 60_000});
		const inspected = await stack.docker(['inspect', '--format', '{{.State.ExitCode}}', stack.container('holdfast')]);
		t.is(inspected, '1');
		const lines = (await logOf(stack)).split('\n').filter(line => line.includes('/state'));
		t.is(lines.length, 1);
		t.true(lines[0]?.includes(`\`/state\` ${owned}`), lines[0]);
	});
}
