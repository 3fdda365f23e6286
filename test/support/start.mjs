// Runs a script of this project with the Node that the project brings along, on whatever Node there is (20 or later):
// node test/support/start.mjs SCRIPT [ARGUMENT…]. Dependencies that are missing, or older than the lockfile, are installed first.
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, lstatSync, statSync} from 'node:fs';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

const top = new URL('../../', import.meta.url);
const inTop = name => fileURLToPath(new URL(name, top));
const node = inTop('node_modules/node/bin/node');

const changed = name => statSync(inTop(name), {throwIfNoEntry: false})?.mtimeMs ?? 0;

// npm writes the second file at the end of an installation
const isInstalled = () => existsSync(node) && changed('node_modules/.package-lock.json') >= changed('package-lock.json');

const install = () => {
	// npm empties what a link leads to, under everybody who uses it
	if (lstatSync(inTop('node_modules'), {throwIfNoEntry: false})?.isSymbolicLink()) {
		console.error(
			'holdfast: node_modules is a link, and older than package-lock.json: run npm ci where it leads to, or put a folder in its place',
		);
		process.exit(1);
	}

	console.error('holdfast: installing the dependencies (npm ci)');
	const {status, error} = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
		cwd: fileURLToPath(top),
		stdio: ['ignore', 2, 2],
	});
	if (error || status !== 0) {
		console.error(`holdfast: npm ci failed${error ? `: ${error.message}` : ''}; nothing was run`);
		process.exit(1);
	}

	if (!existsSync(node)) {
		console.error('holdfast: npm ci did not install Node: allow the install script of the package `node`, then run this again');
		process.exit(1);
	}
};

const [script, ...rest] = process.argv.slice(2);
if (!script) {
	console.error('Usage: node test/support/start.mjs SCRIPT [ARGUMENT…]');
	process.exit(2);
}

if (!isInstalled()) {
	install();
}

const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...rest], {stdio: 'inherit'});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	// A terminal sends Ctrl-C to the child as well, and twice would mean "at once"
	process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
}

child.on('error', error => {
	console.error(`holdfast: ${node}: ${error.message}`);
	process.exit(1);
});
child.on('exit', (code, signal) => {
	if (signal) {
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	} else {
		process.exit(code);
	}
});
