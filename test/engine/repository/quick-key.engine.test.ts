/** The key that Holdfast adds to a repository whose password it made: plain restic sees it, and nothing depends on it. Lane: waits. Turns: repository. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

interface Key {
	id: string;
	userName: string;
	current: boolean;
}

test('a quick key is added, serves alone, and goes with its password', async t => {
	const stack = await startStack(t, {
		slowKey: true,
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				entrypoint: ['sleep', 'infinity'],
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': '/data'},
			},
		},
		volumes: ['data'],
	});
	await stack.exec('app', 'sh', '-c', 'echo content >/data/file');
	const keys = async () => JSON.parse(await stack.restic('key', 'list', '--json')) as Key[];
	const [first = []] = [await keys()];
	const quick = first.find(({userName}) => userName === 'holdfast');
	const slow = first.find(({userName}) => userName !== 'holdfast');
	t.is(first.length, 2);
	t.truthy(quick && slow);
	const files = await stack.exec('holdfast', 'sh', '-c', 'cd /repository/keys && sha256sum *');
	t.deepEqual(
		files.split('\n').map(line => line.slice(0, 64) === line.slice(-64)),
		[true, true],
	);

	// Without restic's own key, and as well without the quick one
	await stack.exec('holdfast', 'sh', '-c', `mv /repository/keys/${await idOf(slow?.id ?? '')} /tmp/`);
	t.is((await stack.backup('--all'))[0]?.outcome, 'success');
	await stack.restic('check');
	await stack.exec('holdfast', 'sh', '-c', 'cp -p /tmp/*[0-9a-f] /repository/keys/; rm -f /repository/keys/$(cat /state/repository-key)');
	t.is((await stack.backup('--all'))[0]?.outcome, 'success');
	t.is((await keys()).length, 1);

	await stack.compose('restart', 'holdfast');
	await stack.ready();
	await until('it is made again', async () => (await keys()).some(({userName}) => userName === 'holdfast'));

	// A new password, as docs/security.md says
	const former = (await stack.exec('holdfast', 'cat', '/state/repository-password')).trim();
	await stack.exec('holdfast', 'sh', '-c', 'printf a-new-password >/tmp/new');
	await stack.restic('key', 'add', '--new-password-file', '/tmp/new');
	await stack.exec('holdfast', 'sh', '-c', 'cat /tmp/new >/state/repository-password');
	const added = (await keys()).find(({current}) => current);
	for (const {id, userName} of await keys()) {
		if (id !== added?.id && userName !== 'holdfast') {
			await stack.restic('key', 'remove', id);
		}
	}

	await stack.compose('restart', 'holdfast');
	await stack.ready();
	const opens = async (password: string) =>
		stack
			.docker([
				'exec',
				'--env',
				`RESTIC_PASSWORD=${password}`,
				stack.container('holdfast'),
				'restic',
				'--repo',
				'/repository',
				'--no-cache',
				'cat',
				'config',
			])
			.then(
				() => true,
				() => false,
			);
	await until('the key of the former password is gone', async () => !(await opens(former)));
	t.true(await opens('a-new-password'));
	// A person chose it
	t.deepEqual(
		(await keys()).map(({id}) => id),
		[added?.id],
	);
	t.is((await stack.backup('--all'))[0]?.outcome, 'success');
	await stack.restic('check', '--read-data');

	async function idOf(short: string): Promise<string> {
		return (await stack.exec('holdfast', 'sh', '-c', `ls /repository/keys | grep ^${short}`)).trim();
	}
});
