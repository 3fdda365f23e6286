import test from 'ava';
import {attentionTo} from '../../../../../agent/api/page/judge.ts';
import type {StatusView, TargetOverview} from '../../../../../base/shapes/targets.ts';
import {statusView} from '../../../../support/doubles/fake-agent.ts';
import {overviewWith} from '../../../../support/doubles/overview.ts';

test('a point that lacks what somebody stopped asks for nobody, but for what is stopped now', t => {
	const partial = {run: 'r', outcome: 'partial', startedAt: '', durationSeconds: 1, quiesceSeconds: 0} as const;
	const of = (change: Partial<StatusView>) =>
		attentionTo(
			overviewWith({
				targets: [{view: {target: 'shop/db', problems: []}, status: statusView('shop/db', change)} as unknown as TargetOverview],
				kitKept: {by: 'anna', at: '2026-11-01T00:00:00Z'},
			}),
		).map(({message}) => message);
	t.deepEqual(of({lastRun: {...partial, rested: true}}), []);
	t.deepEqual(of({lastRun: {...partial, rested: true}, absent: 'without `x`'}), ['it is backed up without `x`']);
	t.deepEqual(of({lastRun: {...partial, error: 'no room'}, absent: 'without `x`'}), [
		'the last backup was only partial: no room',
		'it is backed up without `x`',
	]);
});
