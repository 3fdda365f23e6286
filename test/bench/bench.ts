/**
 * Measures Holdfast against the plain tools that it is made of, in the same run on the same machine, and prints ratios. Asserts nothing: time
 * belongs to the machine. `npm run bench -- [--rounds=N] [--scale=1] [whole] [dump] [files] [growth] [often] [restore]`, by default everything; the median of the rounds counts.
 */
import {loadavg} from 'node:os';
import process from 'node:process';
import {parseArgs} from 'node:util';
import {prepare} from '../support/machine/prepare.ts';
import {benchDump} from './dump.ts';
import {benchFiles} from './files.ts';
import {benchGrowth} from './growth.ts';
import {benchOften} from './often.ts';
import {benchRestore} from './restore.ts';
import {formatRow, formatTable, type Row, type Size} from './table.ts';
import {benchWhole} from './whole.ts';

const parts: Readonly<Record<string, (size: Size) => Promise<Row[]>>> = {
	whole: benchWhole,
	dump: benchDump,
	files: benchFiles,
	growth: benchGrowth,
	often: benchOften,
	restore: benchRestore,
};

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
for (const [name, measure] of Object.entries(parts)) {
	if (positionals.length === 0 || positionals.includes(name)) {
		console.error(`holdfast: measuring ${name} (load ${loadavg()[0]?.toFixed(1)})`);
		const measured = await measure({rounds, scale});
		rows.push(...measured);
		for (const {what, baseline, holdfast} of measured) {
			console.error(`  ${what}: ${holdfast.map(Math.round).join(', ')} against ${baseline.map(Math.round).join(', ')}`);
		}
	}
}

console.log(formatTable(['what', 'baseline', 'holdfast', 'ratio', 'aim'], rows.map(formatRow)));
