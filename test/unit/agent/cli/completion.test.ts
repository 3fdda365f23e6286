import test from 'ava';
import {execa} from 'execa';
import {createCliTest} from '../../../support/doubles/cli.ts';

test('bash completes commands and their options', async t => {
	const {run} = await createCliTest(t);
	const {code, out} = await run('completion bash');
	t.is(code, 0);
	const complete = async (...words: string[]) => {
		const script = `${out}\nCOMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _holdfast; echo "\${COMPREPLY[@]}"`;
		return (await execa('bash', ['-c', script])).stdout;
	};

	t.is(await complete('holdfast', 'stat'), 'status');
	t.is(await complete('holdfast', 'restore', '--dr'), '--dry-run');
	t.is(await complete('holdfast', 'no-such-command', '--'), '');
});

test('zsh and fish name every command too; another shell is refused', async t => {
	const {run} = await createCliTest(t);
	const help = (await run('--help')).out;
	for (const shell of ['zsh', 'fish']) {
		const {out} = await run(`completion ${shell}`);
		for (const [, command = ''] of help.matchAll(/^ {2}([a-z]+) .*\[options\]/gm)) {
			t.true(out.includes(command), `${shell}: ${command}`);
		}
	}

	t.is((await run('completion tcsh')).code, 2);
	t.deepEqual(Object.keys(JSON.parse((await run('completion fish --json')).out) as object), ['shell', 'script']);
});
