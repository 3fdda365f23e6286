import {chmod, chown, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {type Circumstances, examineFolder, explainRefusal} from '../../../base/folder.ts';
import type {Problem} from '../../../base/problem.ts';
import {temporaryFolder} from '../../support/temporary-folder.ts';

const folder = async (t: ExecutionContext) => {
	const path = temporaryFolder(t);
	return path;
};

/** As the agent is in a container with `cap_drop: [ALL]`: root, whom owners and modes concern. */
const withoutCapabilities = async (path: string, known?: Circumstances): Promise<Problem | null> => {
	const file = JSON.stringify(new URL('../../../base/folder.ts', import.meta.url));
	const given = known === undefined ? '' : `, () => (${JSON.stringify(known)})`;
	const program = `import {examineFolder} from ${file}; console.log(JSON.stringify(examineFolder(${JSON.stringify(path)}${given}) ?? null))`;
	const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program];
	const {stdout} = await execa('setpriv', ['--bounding-set=-all', '--inh-caps=-all', ...node]);
	return JSON.parse(stdout) as Problem | null;
};

const asRoot = process.getuid?.() === 0 ? test : test.skip;

for (const mode of [0o755, 0o700]) {
	asRoot(`a folder of somebody else's with mode ${mode.toString(8)} names its owner, the capability and what to do`, async t => {
		const path = await folder(t);
		await chmod(path, mode);
		await chown(path, 1000, 1000);
		const problem = await withoutCapabilities(path);
		t.is(
			problem?.message,
			`\`${path}\` belongs to uid 1000 (mode ${mode.toString(8)}), and Holdfast, which is uid 0 without the capability DAC_OVERRIDE, may not use it`,
		);
		t.regex(problem?.hint ?? '', /chown -R 0.*cap_add: \[DAC_OVERRIDE\]/);
		t.is(examineFolder(path), undefined, 'with the capability it may');
	});
}

asRoot('what another user left in the folder shuts it, too', async t => {
	const path = await folder(t);
	await mkdir(join(path, 'data'));
	await writeFile(join(path, 'config'), 'read only', {mode: 0o400});
	t.is(await withoutCapabilities(path), null);
	await chown(join(path, 'data'), 1000, 1000);
	t.regex((await withoutCapabilities(path))?.message ?? '', /`\/.*\/data` in it belongs to uid 1000/);
	await chown(join(path, 'data'), 0, 0);
	await writeFile(join(path, 'holdfast.db'), '');
	await chmod(join(path, 'holdfast.db'), 0o644);
	await chown(join(path, 'holdfast.db'), 1000, 1000);
	t.regex((await withoutCapabilities(path))?.message ?? '', /holdfast\.db` in it belongs to uid 1000/);
});

asRoot('on a server, neither chown nor a capability is advised', async t => {
	const path = await folder(t);
	await chown(path, 1000, 1000);
	const mounts = `30 1 0:1 / / rw - overlay overlay rw\n31 30 0:2 / ${path} rw - nfs4 nas:/export rw`;
	const problem = await withoutCapabilities(path, {uid: 0, mayOverride: true, mounts});
	t.regex(problem?.message ?? '', /on nas:\/export \(nfs4\).*root_squash/);
	t.regex(problem?.hint ?? '', /no_root_squash/);
});

test('what a server refuses in a folder that the kernel lets in is said to be its doing', async t => {
	const path = await folder(t);
	const mounts = `30 1 0:1 / / rw - overlay overlay rw\n31 30 0:2 / ${path} rw - fuse.sshfs nas:/export rw`;
	t.is(examineFolder(path), undefined);
	t.regex(explainRefusal(path, () => ({uid: 0, mayOverride: true, mounts})).message, /on nas:\/export \(fuse\.sshfs\).*root_squash/);
});

test('a folder that is not there, and one of our own, are no objection', async t => {
	const path = await folder(t);
	t.is(examineFolder(path), undefined);
	t.is(examineFolder(join(path, 'missing')), undefined);
});
