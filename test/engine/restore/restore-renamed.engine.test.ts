/** A volume is loaded beside its live files, which go on meanwhile, and changes places with them: how long that takes does not depend on them. Lane: works. Turns: restore. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const sh = async (stack: Stack, script: string, service = 'app') => stack.exec(service, 'sh', '-ec', script);

/** Each kind of entry, and many files. */
const fill = `
	cd /data; umask 022; mkdir -p many deep/er 'odd dir' cache "$(printf 'new\\nline')"
	for folder in $(seq 100); do mkdir -p many/$folder; (cd many/$folder; for file in $(seq 200); do echo $folder.$file >$file; done); done
	echo dash >./-rf; printf raw >"$(printf 'latin\\351')"; echo newline >"$(printf 'new\\nline')/f"; ln -s /etc/passwd out; ln 'many/1/1' hard; mkfifo fifo
	echo kept >cache/kept; echo log >deep/er/a.log; chmod 4755 ./-rf; chown 1234:4321 deep; chown 33:44 .; chmod 2771 .; touch -d 1999-09-09 .`;

const wreck = `cd /data; rm -rf many/1 deep 'odd dir' "$(printf 'new\\nline')" out hard; mkdir -p deep/er; echo grown >deep/er/a.log; mkdir out; echo extra >out/f; echo other >./-rf; echo mine >cache/mine; chown 0:0 .; chmod 700 .`;

/** Without what is excluded, and what a restore keeps. */
const fingerprint = `
	cd /data; stat -c '%a %u:%g %y' .; find . -mindepth 1 '(' -path './.*.holdfast-*' -o -path ./cache -o -name '*.log' ')' -prune -o -printf '%p|%y|%m|%n|%U:%G|%l\\n' | sort
	find . -type f ! -path './.*.holdfast-*' ! -path './cache/*' ! -name '*.log' -print0 | sort -z | xargs -0 sha256sum | sha256sum`;

const rootless = (printed: string): string => printed.split('\n').slice(1).join('\n');

test('twenty thousand files are swapped, swapped back and let go, while what is excluded stays and no backup takes what is kept', async t => {
	t.timeout(12 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.exclude': 'cache,**/*.log'},
			},
		},
	});
	const target = `${stack.project}/app`;
	const kept = async () => (await sh(stack, 'ls -A /data | grep holdfast- || true')).split('\n').filter(Boolean);
	await sh(stack, fill);
	const before = await sh(stack, fingerprint);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await sh(stack, wreck);
	const wrecked = await sh(stack, fingerprint);

	const plan = await stack.holdfast('restore', target, '--dry-run');
	t.notRegex(plan.stdout + plan.stderr, /in place/);
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'success', restored.error);
	t.is(await sh(stack, fingerprint), before);
	t.is(await sh(stack, 'cat /data/cache/kept /data/cache/mine /data/deep/er/a.log'), 'kept\nmine\ngrown', 'what is excluded stays');
	t.deepEqual(await kept(), [
		`.volume.holdfast-before-${restored.run}`,
		`.volume.holdfast-before-${restored.run}.out`,
		`.volume.holdfast-before-${restored.run}.root`,
	]);
	t.deepEqual(restored.replaced, [`volume:/data: .volume.holdfast-before-${restored.run}`]);
	t.log(`swapped in ${restored.outageSeconds} s`);

	const [second] = await stack.backup(target);
	t.is(second?.outcome, 'success', second?.error);
	const listed = await stack.restic('ls', second?.sources[0]?.snapshot ?? '');
	t.false(listed.includes('holdfast-'), 'what is kept is not backed up');

	await sh(stack, 'echo since >/data/written; echo later >/data/cache/later');
	const undone = JSON.parse((await stack.holdfast('restore', 'undo', restored.run, '--yes', '--json')).stdout) as {
		outcome: string;
		outageSeconds: number;
	};
	t.is(undone.outcome, 'success');
	t.log(`undone in ${undone.outageSeconds} s`);
	t.is(rootless(await sh(stack, fingerprint)), rootless(wrecked));
	t.is(
		await sh(stack, 'stat -c "%a %u:%g" /data; cat /data/cache/mine /data/cache/later /data/deep/er/a.log'),
		'2700 0:0\nmine\nlater\ngrown',
	);
	t.deepEqual(await kept(), []);

	const again = await stack.restore(target, '--point', backup?.point ?? '');
	t.is(again.outcome, 'success', again.error);
	await sh(stack, `mv /data/.volume.holdfast-before-${again.run} /tmp/mine`);
	const refused = await stack.holdfast('restore', 'undo', again.run, '--yes');
	t.not(refused.exitCode, 0);
	t.regex(refused.stderr, /what was there before the restore is gone: somebody removed .volume.holdfast-before/);
	await sh(stack, `mv /tmp/mine /data/.volume.holdfast-before-${again.run}`);
	const finished = await stack.holdfast('restore', 'finish', again.run, '--yes');
	t.is(finished.exitCode, 0, finished.stderr);
	t.is(rootless(await sh(stack, fingerprint)), rootless(before));
	t.deepEqual(await kept(), []);
	const [stop, start] = [restored.outageSeconds, undone.outageSeconds];
	t.true(stop < 5 && start < 5, `${stop} s and ${start} s`);
});

test('what cannot be renamed as a whole is written in place, and the plan says why', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const common = {image, command: ['sleep', 'infinity'], init: true};
	const labels = {'holdfast.enable': 'true', 'holdfast.volumes': 'true'};
	const stack = await startStack(t, {
		volumes: ['outer', 'inner', 'ranges', 'small'],
		services: {
			nested: {...common, volumes: ['outer:/data', 'inner:/data/nested'], labels},
			ranges: {...common, volumes: ['ranges:/data'], labels: {...labels, 'holdfast.exclude': 'cache/[0-9]*'}},
			small: {...common, volumes: ['small:/data'], labels},
		},
		holdfast: {environment: {HOLDFAST_RESTORE_MARGIN: '900TB'}},
	});
	for (const [service, why] of [
		['nested', /`volume:\/data` is written in place.*something is mounted in it, at \/data\/nested/],
		['ranges', /`cache\/\[0-9\]\*`, which is excluded, may be anywhere in it/],
		['small', /there is no room for both/],
	] as const) {
		const target = `${stack.project}/${service}`;
		await sh(stack, 'mkdir -p /data/cache; echo first >/data/file; echo first >/data/cache/1', service);
		const [backup] = await stack.backup(target);
		t.is(backup?.outcome, 'success', backup?.error);
		await sh(stack, 'echo second >/data/file; echo second >/data/cache/1', service);
		const plan = await stack.holdfast('restore', target, '--dry-run');
		t.regex(plan.stdout + plan.stderr, why);
		const restored = await stack.restore(target);
		t.is(restored.outcome, 'success', restored.error);
		t.is(await sh(stack, 'cat /data/file /data/cache/1', service), service === 'ranges' ? 'first\nsecond' : 'first\nfirst');
		t.is((await stack.holdfast('restore', 'undo', restored.run, '--yes')).exitCode, 0);
		t.is(await sh(stack, 'cat /data/file /data/cache/1; ls -A /data | grep holdfast- || true', service), 'second\nsecond');
	}
});

test('an application that is not well on what was restored has its own files back', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data'],
		services: {
			app: {
				image,
				command: ['sh', '-c', 'grep -q good /data/word && exec sleep infinity'],
				init: true,
				volumes: ['data:/data'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true'},
			},
			writer: {image, command: ['sleep', 'infinity'], init: true, volumes: ['data:/data']},
		},
	});
	const target = `${stack.project}/app`;
	await sh(stack, 'echo bad >/data/word', 'writer');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await sh(stack, 'echo good >/data/word', 'writer');
	await stack.compose('up', '--detach', 'app');
	await until('the application to run', async () => (await stack.state('app')) === 'running');
	const restored = await stack.restore(target);
	t.is(restored.outcome, 'failed');
	t.is(await sh(stack, 'cat /data/word; ls -A /data | grep holdfast- || true', 'writer'), 'good');
	await until('the application to run again', async () => (await stack.state('app')) === 'running');
});
