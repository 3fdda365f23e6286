/** How much of the processors' time nobody needs. */
import {cpus} from 'node:os';

const times = (): {idle: number; all: number} => {
	const each = cpus().map(({times: spent}) => ({idle: spent.idle, all: Object.values(spent).reduce((total, ms) => total + ms, 0)}));
	return each.reduce((sum, one) => ({idle: sum.idle + one.idle, all: sum.all + one.all}), {idle: 0, all: 0});
};

/** Begins to watch. @returns the idle part since then, from 0 to 1 */
export function watchIdleness(): () => number {
	const begun = times();
	return () => {
		const now = times();
		return now.all === begun.all ? 0 : (now.idle - begun.idle) / (now.all - begun.all);
	};
}
