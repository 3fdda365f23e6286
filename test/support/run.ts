/**
 * Runs the tests and ends with one line, `N passed, N failed`, counted from the runner's own results. `unit`: only those that need no
 * Docker. Further arguments: only these files.
 */
import {spawn} from 'node:child_process';
import {readdirSync} from 'node:fs';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const top = fileURLToPath(new URL('../../', import.meta.url));

interface Count {
	passed: number;
	failed: number;
	skipped: number;
}

const begun = Date.now();

/** Minutes and seconds since the beginning: who waits for half an hour wants to see where it goes. */
const clock = () => new Date(Date.now() - begun).toISOString().slice(14, 19);

/** Each line of ava's TAP is shown, a result with the time. */
async function runAva(files: readonly string[], options: readonly string[]): Promise<Count> {
	const count: Count = {passed: 0, failed: 0, skipped: 0};
	const ava = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', 'node_modules/ava/entrypoints/cli.js', '--tap', ...options, ...files],
		{
			cwd: top,
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	const exited = new Promise<number>((resolve, reject) => {
		ava.once('error', reject);
		ava.once('close', code => resolve(code ?? 1));
	});
	for await (const line of createInterface({input: ava.stdout})) {
		console.log(/^(?:not )?ok /.test(line) ? `${clock()} ${line}` : line);
		if (/^ok .*# (?:SKIP|TODO)/i.test(line)) {
			count.skipped++;
		} else if (line.startsWith('ok ')) {
			count.passed++;
		} else if (line.startsWith('not ok ')) {
			count.failed++;
		}
	}

	const code = await exited;
	// A runner that fails without naming a test (a file that does not load, no file at all) must not look green.
	if (code !== 0 && count.failed === 0) {
		console.error(`holdfast: the runner ended with exit code ${code} without a failed test`);
		count.failed = 1;
	}

	return count;
}

const args = process.argv.slice(2);
const unitOnly = args[0] === 'unit';
const named = unitOnly ? args.slice(1) : args;
const all = readdirSync(`${top}test`, {recursive: true, encoding: 'utf8'})
	.filter(file => file.endsWith('.test.ts'))
	.map(file => `test/${file}`)
	.sort();
const chosen = named.length === 0 ? all : all.filter(file => named.some(name => file.includes(name)));
const isEngineTest = (file: string) => file.endsWith('.engine.test.ts');
const unit = chosen.filter(file => !isEngineTest(file));
const engine = unitOnly ? [] : chosen.filter(isEngineTest);

const counts: Count[] = [];
if (unit.length > 0) {
	counts.push(await runAva(unit, []));
}

if (engine.length > 0) {
	const {prepare} = await import('./prepare.ts');
	await prepare();
	counts.push(await runAva(engine, ['--concurrency=2']));
}

const sum = (key: keyof Count) => counts.reduce((total, count) => total + count[key], 0);
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
