/**
 * Runs the tests and ends with one line, `N passed, N failed`, counted from the runner's own results. Without arguments: by day, what `npm test`
 * promises, the unit tests and those on a real engine. `unit`: only what needs no Docker; `night`: only what takes long; `all`: everything; `ci`: by
 * day, and then a share of the night, another one for each commit. Further arguments: only these files, of the night's too.
 */
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {type Count, runAva} from './runner/ava.ts';
import {commit} from './runner/draw.ts';
import {guess, known, measured, remember, slowest} from './runner/durations.ts';
import {type Part, partOf, readLane, readTurn, testFiles} from './runner/files.ts';
import {watchIdleness} from './runner/idleness.ts';
import {estimate, nextOf, type Waiting} from './runner/queue.ts';
import {shareOf} from './runner/share.ts';
import {outOfTurn} from './runner/turns.ts';

/** How much of the night is taken after the day, on a machine with two cores. */
const shareSeconds = 14 * 60;

const modes: Readonly<Record<string, readonly Part[]>> = {
	unit: ['unit'],
	night: ['night'],
	all: ['unit', 'engine', 'night'],
	ci: ['unit', 'engine'],
};

const [mode = '', ...rest] = process.argv.slice(2);
const names = modes[mode] ? rest : process.argv.slice(2);
const parts = modes[mode] ?? (names.length > 0 ? modes.all : modes.ci) ?? [];
const named = testFiles().filter(file => names.length === 0 || names.some(name => file.includes(name)));

/** What was never seen green and timed (`runner/durations.json`) is run by night only, whatever its name: it may be red for reasons of its own. */
const isProven = (file: string): boolean => partOf(file) === 'unit' || known()[file] !== undefined;
process.env.KILLS_SEED ??= commit();
const turns = named.filter(file => partOf(file) === 'engine' && isProven(file)).map(readTurn);
/** By day, those of a family whose turn it is not; they are of the night, too. */
const resting = parts === modes.ci && names.length === 0 ? outOfTurn(turns, process.env.KILLS_SEED) : new Set<string>();
const isOfNight = (file: string): boolean =>
	partOf(file) === 'night' || !isProven(file) || turns.some(turn => turn.file === file && turn.family !== undefined);
const isOfDay = (file: string): boolean => isProven(file) && parts.includes(partOf(file)) && !resting.has(file);
const chosen = named.filter(file => isOfDay(file) || (parts.includes('night') && isOfNight(file)));

const before = {...known(), ...measured()};
const waitingOf = (file: string, seconds: number): Waiting => ({file, lane: readLane(file), seconds});
const byExperience = (file: string) => waitingOf(file, before[file] ?? guess(file));

const counts: Count[] = [];
const durations: Record<string, number> = {};

const timed = async (name: string, run: () => Promise<Count>): Promise<void> => {
	const started = performance.now();
	counts.push(await run());
	durations[name] = Math.round((performance.now() - started) / 100) / 10;
	remember({[name]: durations[name]});
};

/** Title of a file's tests: `laws/kills › …`. */
const prefixOf = (file: string) => `${file.replace(/^test\/(?:engine\/)?|(?:\.engine|\.night)?\.test\.ts$/g, '')} › `;

/** How long is watched whether the machine has time for one file more. */
const watchMs = 6000;

/** Each file by itself, as many at once as their lanes allow, and one more where all of them wait. */
async function runOnEngine(files: readonly Waiting[]): Promise<void> {
	const waiting = new Set(files);
	const running = new Map<Waiting, Promise<void>>();
	let idleness = 0;
	while (waiting.size + running.size > 0) {
		for (let next = nextOf([...waiting], [...running.keys()], idleness); next; next = nextOf([...waiting], [...running.keys()])) {
			const one = next;
			waiting.delete(one);
			running.set(
				one,
				timed(one.file, async () => runAva([one.file], prefixOf(one.file))).finally(() => running.delete(one)),
			);
		}

		const idlenessOf = watchIdleness();
		const ended = await Promise.race([...running.values(), delay(watchMs, 'none', {ref: false})]);
		idleness = ended === 'none' ? idlenessOf() : 0;
	}
}

const minutes = (seconds: number) => `${(seconds / 60).toFixed(1)} min`;

/** The same for a commit on every machine: by what is known of all files, not by what was measured here. */
function drawShare(): Waiting[] {
	const night = named.filter(file => isProven(file) && (partOf(file) === 'night' || resting.has(file)));
	const seed = process.env.NIGHT_SEED ?? commit();
	const drawn = shareOf(
		night.map(file => waitingOf(file, known()[file] ?? guess(file))),
		seed,
		shareSeconds,
	);
	console.log(
		`# ${drawn.length} of ${night.length} files of the night, about ${minutes(estimate(drawn))}; NIGHT_SEED=${seed} draws them again:`,
	);
	for (const {file} of drawn) {
		console.log(`#   ${file}`);
	}

	return drawn;
}

const idlenessOfAll = watchIdleness();
console.log('TAP version 13');
const left = named.filter(file => partOf(file) === 'engine' && !isProven(file) && !chosen.includes(file));
if (left.length > 0) {
	console.log(`# Not run: ${left.length} files of the engine that were never seen green in time (npm run test:night runs them):`);
	for (const file of left) {
		console.log(`#   ${file}`);
	}
}

if (resting.size > 0) {
	console.log(`# Not in turn for this commit: ${resting.size} files (npm run test:night runs them):`);
	for (const file of resting) {
		console.log(`#   ${file}`);
	}
}

const unit = chosen.filter(file => partOf(file) === 'unit');
const onEngine = chosen.filter(file => partOf(file) !== 'unit').map(byExperience);
if (unit.length > 0) {
	await timed('test/unit', async () => runAva(unit));
}

if (onEngine.length > 0 || mode === 'ci') {
	console.log(`# KILLS_SEED=${process.env.KILLS_SEED} draws the same kills, cases and turns again`);
	const {prepare} = await import('./machine/prepare.ts');
	await prepare();
	await runOnEngine(onEngine);
}

if (mode === 'ci') {
	await runOnEngine(drawShare());
}

const idle = idlenessOfAll();
console.log(`# The processors had nothing to do for ${Math.round(idle * 100)} % of the time`);
console.log('# The slowest:');
for (const [file, seconds] of slowest(durations, 10)) {
	console.log(`#   ${seconds.toFixed(1).padStart(6)} s  ${file}`);
}

const failures = counts.flatMap(count => count.failures);
if (failures.length > 0) {
	// Among thousands that passed nobody finds them, and who keeps but the end of a log has none.
	console.log('# What failed, once more:');
	for (const line of failures.flat()) {
		console.log(`#   ${line}`);
	}
}

const sum = (key: Exclude<keyof Count, 'failures'>) => counts.reduce((total, count) => total + count[key], 0);
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
