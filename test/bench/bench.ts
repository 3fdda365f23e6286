/**
 * Measures Holdfast against the plain tools that it is made of, in the same run on the same machine, and prints ratios. Asserts nothing: time
 * belongs to the machine. `npm run bench -- --help` says how it is asked.
 */
import {loadavg} from 'node:os';
import process from 'node:process';
import {explain} from '../../base/errors.ts';
import {prepare} from '../support/machine/prepare.ts';
import {benchAgent} from './agent.ts';
import {benchDump} from './dump.ts';
import {benchFiles, benchMany} from './files.ts';
import {benchGrowth} from './growth.ts';
import {benchOften, benchOftenLarge, benchOftenMany} from './often.ts';
import {type Order, readOrder, usage} from './order.ts';
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

const offered = {known: Object.keys(parts), byDefault: ['whole', 'dump', 'files', 'many', 'growth', 'often', 'restore']};

const {parts: ordered, rounds, scale, isHelp} = orderOf(process.argv.slice(2));
if (isHelp) {
	console.log(usage(offered));
	process.exit();
}

if (process.env.HOLDFAST_TEST_IMAGE === undefined) {
	await prepare();
}

const rows: Row[] = [];
for (const name of ordered) {
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

function orderOf(argv: readonly string[]): Order {
	try {
		return readOrder(argv, offered);
	} catch (error) {
		console.error(`holdfast: ${explain(error)}\n\n${usage(offered)}`);
		process.exit(2);
	}
}
