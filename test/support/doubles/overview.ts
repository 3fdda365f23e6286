/** What an agent shows that has nothing: no targets, nothing scheduled, nobody beside it. */
import type {Overview} from '../../../base/shapes/targets.ts';

export const overviewWith = (change: Partial<Overview> = {}): Overview => ({
	kitKept: null,
	targets: [],
	scheduled: [],
	unprotected: [],
	gone: [],
	moved: [],
	others: [],
	adopted: [],
	liveOthers: 0,
	...change,
});
