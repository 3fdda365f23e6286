import test from 'ava';
import {unwellAmong} from '../../../../agent/overview/unwell.ts';
import type {StatusView} from '../../../../base/shapes/targets.ts';
import {statusView} from '../../../support/doubles/fake-agent.ts';

const status = (change: Partial<StatusView>): StatusView => statusView('shop/db', change);

const lastRun = {run: 'r', outcome: 'failed', startedAt: '', durationSeconds: 1, quiesceSeconds: 0, error: 'no room'} as const;

test('late, failed, broken and missing ones are not well; what is new, rests or is served by another is', t => {
	const of = (change: Partial<StatusView>) => unwellAmong([status(change)])[0]?.why;
	t.is(of({}), undefined);
	t.is(of({late: '2026-11-01T00:00:00Z'}), 'it was never backed up');
	t.is(of({lastRun}), 'the last backup failed: no room');
	t.is(of({problems: [{message: 'unknown label'}]}), 'it is not backed up: unknown label');
	t.is(of({problems: [{message: 'it is not found any more'}], goneSince: '2026-11-01T00:00:00Z'}), 'it is not found any more');
	t.is(of({lastRun, servedBy: 'other'}), undefined);
	t.is(of({lastRun, movedTo: {host: 'node-b', agent: 'b', at: '2026-11-01T00:00:00Z'}}), undefined);
	t.is(of({late: '2026-11-01T00:00:00Z', absent: 'without `x`'}), 'it was never backed up');
	const {error, ...partial} = lastRun;
	t.is(of({lastRun: {...partial, outcome: 'partial', rested: true}, absent: 'without `x`'}), undefined);
	t.is(of({lastRun: {...partial, outcome: 'partial', rested: true}}), undefined, 'started again, and not due yet');
	t.is(of({lastRun: {...lastRun, outcome: 'partial'}, absent: 'without `x`'}), `the last backup was only partial: ${error}`);
});
