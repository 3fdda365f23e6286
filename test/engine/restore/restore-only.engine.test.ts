/** A few files of a volume: what is named is replaced or added, nothing else changes, and an undo takes it back. Lane: waits. Turns: restore. */
import test from 'ava';
import type {RestoreResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

test('only what is named comes back, by renames, and goes again', async t => {
	t.timeout(5 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {image, command: ['sleep', 'infinity'], init: true, volumes: ['data:/data'], labels: {'holdfast.enable': 'true'}},
		},
	});
	const target = `${stack.project}/app`;
	const sh = async (script: string) => stack.exec('app', 'sh', '-ec', script);
	const listing = `cd /data; find . -printf '%p %y %m %U:%G %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum`;
	const startedAt = async () => docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')]);
	await sh(`cd /data; mkdir -p up/deep 'odd *[x]'; echo a >up/a.png; chown 12:34 up/a.png; chmod 640 up/a.png; echo b >up/deep/b; ln -s nowhere up/link
		echo star >'odd *[x]/--?'; echo other >'odd *[x]/other'; echo keep >keep; chmod 700 up`);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);

	// What is missing comes back while the application runs.
	await sh(`cd /data; rm -r up 'odd *[x]/--?'; echo changed >keep; echo new >new`);
	const before = await sh(listing);
	const started = await startedAt();
	const added = await stack.restore(target, '--only', 'volume:/data/up/a.png', 'volume:/data/up/deep', 'volume:/data/odd *[x]/--?');
	t.is(added.outcome, 'success', added.error);
	t.is(added.outageSeconds, 0);
	t.is(await startedAt(), started);
	t.is(
		await sh(`cd /data; cat up/a.png up/deep/b 'odd *[x]/--?' keep; stat -c '%a %u:%g' up/a.png; ls up`),
		'a\nb\nstar\nchanged\n640 12:34\na.png\ndeep',
	);
	await undo(added);
	t.is(await sh(`cd /data; rmdir up; ls -A | grep holdfast || true`), '');
	t.is(await sh(listing), before);

	// What is there is replaced while it is stopped, links themselves included.
	await sh('cd /data; mkdir up; ln -s /etc/passwd up/a.png; mkdir up/deep; echo mine >up/deep/mine');
	const replaced = await stack.restore(target, '--only', 'volume:/data/up/a.png', 'volume:/data/up/deep', 'volume:/data/up/link');
	t.is(replaced.outcome, 'success', replaced.error);
	t.not(await startedAt(), started);
	t.is(await sh('cd /data; cat up/a.png; ls up/deep; readlink up/link; head -c 4 /etc/passwd; cat keep'), 'a\nb\nnowhere\nrootchanged');
	t.is(replaced.replaced.length, 1);
	await undo(replaced);
	t.is(
		await sh('cd /data; readlink up/a.png; cat up/deep/mine; ls -A up up/deep'),
		'/etc/passwd\nmine\nup:\na.png\ndeep\n\nup/deep:\nmine',
	);
	const again = await stack.restore(target, '--only', 'volume:/data/up/a.png');
	t.is((await stack.holdfast('restore', 'finish', again.run)).exitCode, 0);
	t.is(await sh('cd /data; ls -A up | grep -v "^deep$"'), 'a.png');

	// Whatever leads elsewhere is refused, and nothing is touched.
	await sh('cd /data; rm -r up; ln -s /etc up');
	const last = await sh(listing);
	for (const [only, why] of [
		['volume:/data/up/nothing', /has no `\/up\/nothing`/],
		['volume:/data/../etc/passwd', /has no source/],
		['volume:/data/odd *', /has no `\/odd \*`/],
	] as const) {
		const {exitCode, stderr} = await stack.holdfast('restore', target, '--yes', '--only', only);
		t.is(exitCode, 2, only);
		t.regex(stderr, why);
	}

	const outside = await stack.restore(target, '--only', 'volume:/data/up/a.png');
	t.is(outside.outcome, 'failed');
	t.regex(outside.error ?? '', /below a link that leads out of its mount/);
	t.is(await sh(listing), last);
	t.is(await sh('ls /etc/a.png || true'), '');
	t.is(await stack.state('app'), 'running');

	async function undo({run}: RestoreResult): Promise<void> {
		const {stdout, stderr} = await stack.holdfast('restore', 'undo', run, '--json');
		t.is((JSON.parse(stdout) as RestoreResult).outcome, 'success', stdout + stderr);
	}
});
