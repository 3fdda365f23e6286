/** Types, lint and format, dead code. All of them run, so that one call tells everything. */
import {spawnSync} from 'node:child_process';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const cwd = fileURLToPath(new URL('../../', import.meta.url));

const failed = [['tsc'], ['biome', 'check', '--error-on-warnings'], ['knip']].filter(([program = '', ...args]) => {
	console.error(`holdfast: ${[program, ...args].join(' ')}`);
	const path = `${cwd}node_modules/.bin:${process.env.PATH}`;
	return spawnSync(program, args, {cwd, stdio: 'inherit', env: {...process.env, PATH: path}}).status !== 0;
});

process.exit(failed.length === 0 ? 0 : 1);
