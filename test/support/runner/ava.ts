/** One run of ava, as one of several whose lines come one after another. */
import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {top} from './files.ts';

export interface Count {
	passed: number;
	failed: number;
	skipped: number;
	/** What was printed of each that failed. */
	failures: string[][];
}

const begun = Date.now();

/** Minutes and seconds since the beginning: who waits for long wants to see where it goes. */
const clock = () => new Date(Date.now() - begun).toISOString().slice(14, 19);

let results = 0;

/** What each run says for itself; of all runs together, it would be said several times and wrongly. */
const isFrame = (line: string) => /^(?:TAP version|\d+\.\.\d+$|# (?:tests|pass|fail|skip|todo) \d+$|$)/.test(line);

/** @param prefix of the titles, where ava runs but one file and gives none */
export async function runAva(files: readonly string[], prefix = ''): Promise<Count> {
	const count: Count = {passed: 0, failed: 0, skipped: 0, failures: []};
	const ava = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'node_modules/ava/entrypoints/cli.js', '--tap', ...files], {
		cwd: top,
		stdio: ['ignore', 'pipe', 'inherit'],
		// Each file has a process of its own, and all of them load the same: it is compiled once.
		env: {NODE_COMPILE_CACHE: path.join(top, '.cache/compiled'), ...process.env},
	});
	const lines = createInterface({input: ava.stdout});
	/** Of the failed one whose details come now. */
	let failure: string[] | undefined;
	// Not `for await`: what comes at once is printed at once, so that no other run's line comes between a failure and its cause.
	lines.on('line', line => {
		const [, verdict = '', title = ''] = /^((?:not )?ok) \d+ - (.*)$/.exec(line) ?? [];
		if (verdict === '') {
			if (!isFrame(line)) {
				console.log(line);
				failure?.push(line);
				failure = line === '  ...' ? undefined : failure;
			}

			return;
		}

		const result = `${clock()} ${verdict} ${++results} - ${prefix}${title}`;
		console.log(result);
		failure = verdict === 'ok' ? undefined : [result];
		if (failure !== undefined) {
			count.failures.push(failure);
		}

		if (verdict === 'ok' && /# (?:SKIP|TODO)/i.test(title)) {
			count.skipped++;
		} else {
			count[verdict === 'ok' ? 'passed' : 'failed']++;
		}
	});
	const end = await new Promise<string>((resolve, reject) => {
		ava.once('error', reject);
		ava.once('close', (status, signal) => resolve(signal ?? `exit code ${status}`));
	});
	// A runner that fails without naming a test (a file that does not load, no file at all, a crash) must not look green.
	if (end !== 'exit code 0' && count.failed === 0) {
		const why = `holdfast: the runner ended with ${end} without a failed test: ${files.join(' ')}`;
		console.error(why);
		count.failures.push([why]);
		count.failed = 1;
	}

	return count;
}
