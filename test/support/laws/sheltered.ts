/** A volume in which much is left alone by a restore, also in folders that the point does not have, or has a file or a link for. */
import assert from 'node:assert/strict';
import type {ExecutionContext} from 'ava';
import {ensureImage} from '../images.ts';
import {type Stack, startStack} from '../stack.ts';

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

export interface Sheltered {
	stack: Stack;
	target: string;
	/** In the volume. */
	sh: (script: string) => Promise<string>;
	/** All that is there, with its content. */
	everything: () => Promise<string>;
	/** Of a restored volume: what is left alone is where it was, and all else is the point's. @throws {AssertionError} */
	assertRestored: () => Promise<void>;
	/** How many of the files that are left alone hold what they held, wherever they are. */
	unharmed: () => Promise<number>;
	mine: readonly string[];
}

/** Its newest point was made before the folders were there. @param isInPlace something is mounted in the volume */
export async function shelteredScene(
	t: Pick<ExecutionContext, 'teardown'>,
	{isInPlace, token}: {isInPlace: boolean; token?: string},
): Promise<Sheltered> {
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data', 'inner'],
		...(token === undefined ? {} : {holdfast: {environment: {HOLDFAST_API_TOKEN: token}}}),
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data', ...(isInPlace ? ['inner:/data/nested'] : [])],
				labels: {
					'holdfast.enable': 'true',
					'holdfast.volumes': 'true',
					'holdfast.exclude': '**/cache,**/.thumbs/,**/*.tmp,./had/only//this',
				},
			},
		},
	});
	const target = `${stack.project}/app`;
	const sh = async (script: string) => stack.exec('app', 'sh', '-ec', `cd /data; ${script}`);
	await sh(fill);
	const [backup] = await stack.backup(target);
	assert.equal(backup?.outcome, 'success', backup?.error);
	await sh(since);
	return {
		stack,
		target,
		sh,
		mine,
		everything: async () => sh(everything),
		async assertRestored() {
			assert.equal(await sh(`cat ${mine.map(file => `'${file}'`).join(' ')} "$(printf 'latin\\351')/cache/f"`), 'mine\n'.repeat(7).trim());
			assert.equal(await sh('cat turns had/file; readlink linked'), 'file\nfirst\nnowhere');
			assert.equal(
				await sh("ls new new/deep 'odd [d]*' latin* had/only"),
				[...['had/only:', 'this', '', 'latin\uFFFD:', 'cache', '', 'new:', 'deep', 'x.tmp', '', 'new/deep:', '', 'odd [d]*:']].join('\n'),
			);
		},
		unharmed: async () => Number(await sh('grep -rlx mine . | wc -l')),
	};
}
