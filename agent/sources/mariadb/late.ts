/** Views that read other databases, in a restore of several: each is made as soon as what it reads has taken its place. */
import type {RestoreContext, RestoringSource} from '../restoring.ts';
import type {MariadbServer} from './server.ts';
import {describeUnmade, type LateView, makeViews, type Unmade} from './views.ts';

interface Waiting extends Pick<RestoreContext, 'tolerate'> {
	source: string;
	server: Pick<MariadbServer, 'query'>;
	database: string;
	views: readonly LateView[];
}

const runs = new WeakMap<readonly RestoringSource[], {waiting: Waiting[]}>();

/** `source` is in its place. What cannot be made when the last of `all` is, is told. */
export async function makeOuter(
	source: Pick<RestoringSource, 'name' | 'target' | 'kind'>,
	all: readonly RestoringSource[],
	mine: Omit<Waiting, 'source'>,
): Promise<void> {
	const run = runs.get(all) ?? {waiting: []};
	runs.set(all, run);
	const last = all.findLast(({kind}) => kind === source.kind);
	const isLast = last === undefined || (last.name === source.name && last.target === source.target);
	const left: Waiting[] = [];
	for (const each of [...run.waiting, {...mine, source: source.name}]) {
		const unmade = await makeViews(each.server, each.database, each.views);
		if (isLast) {
			tellOf(each, unmade);
		} else if (unmade.length > 0) {
			left.push({...each, views: unmade});
		}
	}

	run.waiting = left;
}

function tellOf({source, database, tolerate}: Waiting, unmade: readonly Unmade[]): void {
	if (unmade.length > 0) {
		tolerate({source, what: unmade.map(view => describeUnmade(database, view)).join('; '), count: unmade.length});
	}
}
