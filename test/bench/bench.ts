/**
 * Measures Holdfast against the plain tools that it is made of, in the same run on the same machine, and prints ratios. Asserts nothing: time
 * belongs to the machine. `npm run bench -- [--rounds=N] [--scale=1] [PART…]`, by default all of them; the median of the rounds counts.
 */
import {loadavg} from 'node:os';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {prepare} from '../support/machine/prepare.ts';
import {benchAgent} from './agent.ts';
import {benchDump} from './dump.ts';
import {benchFiles, benchMany} from './files.ts';
import {benchGrowth} from './growth.ts';
import {benchOften, benchOftenLarge, benchOftenMany} from './often.ts';
import {benchLoad, benchLoadFiles} from './restore.ts';
import {benchSnapshot} from './snapshot.ts';
import {formatRow, formatTable, type Row, type Size} from './table.ts';
import {benchWhole} from './whole.ts';

type Part = (size: Size) => Promise<Row[]>;

const parts: Readonly<Record<string, readonly Part[]>> = {
	whole: [benchWhole, benchLoad, benchSnapshot, benchAgent],
	backup: [benchWhole],
	load: [benchLoad],
	snapshot: [benchSnapshot],
	agent: [benchAgent],
	dump: [benchDump],
	files: [benchFiles],
	many: [benchMany],
	growth: [benchGrowth],
	often: [benchOften, benchOftenLarge, benchOftenMany],
	'often-small': [benchOften],
	'often-large': [benchOftenLarge],
	'often-many': [benchOftenMany],
	restore: [benchLoadFiles],
};

const byDefault = ['whole', 'dump', 'files', 'many', 'growth', 'often', 'restore'];

const {values, positionals} = parseArgs({
	allowPositionals: true,
	options: {rounds: {type: 'string', default: '5'}, scale: {type: 'string', default: '1'}},
});
const rounds = Number(values.rounds);
const scale = Number(values.scale);
const unknown = positionals.find(name => parts[name] === undefined);
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1 || !(scale > 0)) {
	console.error(`Usage: npm run bench -- [--rounds=N] [--scale=1] [${Object.keys(parts).join('|')}]…`);
	process.exit(2);
}

if (process.env.HOLDFAST_TEST_IMAGE === undefined) {
	await prepare();
}

const rows: Row[] = [];
for (const name of positionals.length === 0 ? byDefault : positionals) {
	for (const measure of parts[name] ?? []) {
		console.error(`holdfast: measuring ${name} (load ${loadavg()[0]?.toFixed(1)})`);
		const begun = performance.now();
		const measured = await measure({rounds, scale});
		rows.push(...measured);
		for (const {what, baseline, holdfast} of measured) {
			console.error(`  ${what}: ${holdfast.map(Math.round).join(', ')} against ${baseline.map(Math.round).join(', ')}`);
		}

		console.error(`  took ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);
	}
}

console.log(formatTable(['what', 'baseline', 'holdfast', 'ratio', 'aim'], rows.map(formatRow)));
