/** How long restore points are kept. */
import type {Reader} from './reader.ts';
import {counts, isPeriod, keepRule} from './values.ts';
export interface Keep {
	last?: number;
	hourly?: number;
	daily?: number;
	weekly?: number;
	monthly?: number;
	yearly?: number;
	/** As restic spells it: `30d`, `1y6m`. */
	within?: string;
}

/** Numbers of points, in the order of the list above whatever the order in the label, so that equal ones compare as equal. */
export const readKeep: Reader<Keep> = text => {
	const given = new Map<string, string>();
	for (const part of text.split(',')) {
		const [, name = '', amount = ''] = /^\s*([a-z]+)\s*=\s*(\w+)\s*$/.exec(part) ?? [];
		const good = name === 'within' ? isPeriod(amount) : counts.some(count => count === name) && /^[1-9]\d{0,4}$/.test(amount);
		if (!good) {
			return {rule: keepRule, got: part};
		}

		if (given.has(name)) {
			return {rule: 'must not name anything twice', got: part};
		}

		given.set(name, amount);
	}

	const within = given.get('within');
	const numbers = counts.flatMap(count => (given.has(count) ? [[count, Number(given.get(count))] as const] : []));
	return {value: {...Object.fromEntries(numbers), ...(within === undefined ? {} : {within})}};
};
