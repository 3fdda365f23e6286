/** What is excluded stays where it is, also in folders that the point does not have: in place and by renames, undone and let go. Lane: waits. Turns: restore. */
import test, {type ExecutionContext} from 'ava';
import {ensureImage} from '../../support/images.ts';
import {type Stack, startStack} from '../../support/stack.ts';

const sh = async (stack: Stack, script: string) => stack.exec('app', 'sh', '-ec', `cd /data; ${script}`);

const fill =
	'mkdir -p had/cache had/only; echo first >had/file; echo kept >had/cache/f; echo file >turns; ln -s nowhere linked; echo root >a.tmp';

const mine = ['new/deep/.thumbs/f', 'odd [d]*/.thumbs/f', 'had/cache/f', 'had/only/this/f', 'new/x.tmp', 'a.tmp'];

/** Since then: folders that the point lacks, one where it has a file, and one where it has a link. */
const since = `
	rm turns linked; mkdir -p new/deep/.thumbs new/deep/er new/plain turns/cache turns/sub linked/cache 'odd [d]*/.thumbs' had/only/this "$(printf 'latin\\351')/cache"
	for file in ${mine.map(file => `'${file}'`).join(' ')} turns/cache/f linked/cache/f "$(printf 'latin\\351')/cache/f"; do echo mine >"$file"; done
	echo second >had/file; for file in new/f new/deep/f new/deep/er/f new/plain/f turns/sub/f 'odd [d]*/f' had/only/f; do echo gone >"$file"; done; ln -s /etc new/out`;

/** All but what lies in the other mount, and what a restore keeps of the whole. */
const everything = String.raw`find . -mindepth 1 '(' -path './.volume.*' -o -path ./nested ')' -prune -o -printf '%p %y %l\n' | sort; grep -rs . --exclude-dir=nested --exclude-dir='.volume.*' . | sort`;

async function scene(t: ExecutionContext, isInPlace: boolean) {
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data', 'inner'],
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data', ...(isInPlace ? ['inner:/data/nested'] : [])],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.volumes': 'true',
					'holdfast.exclude': '**/cache,**/.thumbs,**/*.tmp,had/only/this',
				},
			},
		},
	});
	const target = `${stack.project}/app`;
	await sh(stack, fill);
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	await sh(stack, since);
	return {
		stack,
		before: await sh(stack, everything),
		async restore() {
			const restored = await stack.restore(target);
			t.is(restored.outcome, 'success', restored.error);
			t.is(
				restored.replaced.some(name => name.startsWith('volume:/data: snapshot ')),
				isInPlace,
				restored.replaced.join(),
			);
			t.is(await sh(stack, `cat ${mine.map(file => `'${file}'`).join(' ')} "$(printf 'latin\\351')/cache/f"`), 'mine\n'.repeat(7).trim());
			t.is(await sh(stack, 'cat turns had/file; readlink linked'), 'file\nfirst\nnowhere');
			t.is(
				await sh(stack, "ls new new/deep 'odd [d]*' latin* had/only"),
				[...['had/only:', 'this', '', 'latin\uFFFD:', 'cache', '', 'new:', 'deep', 'x.tmp', '', 'new/deep:', '', 'odd [d]*:']].join('\n'),
			);
			return restored.run;
		},
		async end(verb: 'undo' | 'finish', run: string) {
			const {exitCode, stderr} = await stack.holdfast('restore', verb, run, '--yes');
			t.is(exitCode, 0, stderr);
		},
	};
}

for (const isInPlace of [true, false]) {
	test(`what is excluded stays where it is, ${isInPlace ? 'in place' : 'by renames'}`, async t => {
		const {stack, before, restore, end} = await scene(t, isInPlace);
		await end('undo', await restore());
		t.is(await sh(stack, everything), before, 'all is as it was');

		const run = await restore();
		// What comes after the restore is no part of an undo either.
		await sh(stack, 'mkdir -p later/cache; echo later >later/cache/f; echo gone >later/f');
		await end('undo', run);
		t.is(await sh(stack, 'cat later/cache/f; ls later; rm -r later'), 'later\ncache');
		t.is(await sh(stack, everything), before);

		await end('finish', await restore());
		t.is(await sh(stack, `cat ${mine.map(file => `'${file}'`).join(' ')}`), 'mine\n'.repeat(6).trim());
		t.is(
			await sh(stack, "find . -path './nested' -prune -o -path '*holdfast-*/cache/f' -exec cat '{}' ';'"),
			'mine\nmine',
			'what had no place any more is kept',
		);
	});
}
