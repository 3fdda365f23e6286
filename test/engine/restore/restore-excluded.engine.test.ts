/** What is excluded stays where it is, also in folders that the point does not have: in place and by renames, undone and let go. Lane: waits. Turns: restore. */
import test from 'ava';
import {shelteredScene} from '../../support/laws/sheltered.ts';

for (const isInPlace of [true, false]) {
	test(`what is excluded stays where it is, ${isInPlace ? 'in place' : 'by renames'}`, async t => {
		const {stack, target, sh, mine, everything, assertRestored} = await shelteredScene(t, {isInPlace});
		const before = await everything();
		const restore = async () => {
			const restored = await stack.restore(target);
			t.is(restored.outcome, 'success', restored.error);
			t.is(
				restored.replaced.some(name => name.startsWith('volume:/data: snapshot ')),
				isInPlace,
				restored.replaced.join(),
			);
			await assertRestored();
			return restored.run;
		};
		const end = async (verb: 'undo' | 'finish', run: string) => {
			const {exitCode, stderr} = await stack.holdfast('restore', verb, run, '--yes');
			t.is(exitCode, 0, stderr);
		};

		await end('undo', await restore());
		t.is(await everything(), before, 'all is as it was');

		const run = await restore();
		// What comes after the restore is no part of an undo either.
		await sh('mkdir -p later/cache; echo later >later/cache/f; echo gone >later/f');
		await end('undo', run);
		t.is(await sh('cat later/cache/f; ls later; rm -r later'), 'later\ncache');
		t.is(await everything(), before);

		await end('finish', await restore());
		t.is(await sh(`cat ${mine.map(file => `'${file}'`).join(' ')}`), 'mine\n'.repeat(6).trim());
		t.is(
			await sh("find . -path './nested' -prune -o -path '*holdfast-*/cache/f' -exec cat '{}' ';'"),
			'mine\nmine',
			'what had no place any more is kept',
		);
	});
}
