import test from 'ava';
import {createLedger} from '../../../../agent/overview/ledger.ts';
import {createStatus} from '../../../../agent/overview/status.ts';
import {type Deed, ownershipOf} from '../../../../agent/repository/owner.ts';
import type {Snapshot} from '../../../../agent/restic/restic.ts';
import {openState} from '../../../../agent/state/state.ts';
import {newestPointOf, whyNever} from '../../../../base/present.ts';

const now = Date.now();
const hour = 3_600_000;

/** A point of the agent: its only source, and its manifest. */
const point = (agent: string, target: string, hoursAgo: number): Snapshot[] =>
	['source:volume:/data', 'manifest:1'].map((tag, index) => ({
		id: `${agent}-${hoursAgo}-${index}`,
		time: new Date(now - hoursAgo * hour),
		host: 'pi',
		paths: [],
		tags: ['holdfast', `agent:${agent}`, `run:${agent}-${hoursAgo}`, `target:${target}`, tag],
		bytes: 1,
	})) as unknown as Snapshot[];

test('of a target that this agent never backed up, the newest point that it took over is known, and told', t => {
	const state = openState(':memory:');
	t.teardown(state.close);
	const deeds: Deed[] = [];
	const ownership = () => ownershipOf({agentId: 'new', deeds: () => deeds, findRun: () => undefined});
	const ledger = createLedger({learnDeeds() {}}, {ownership, host: 'pi'});
	const {statusOf} = createStatus({
		runs: {current: () => undefined, waitsFor: () => undefined},
		state,
		ownership,
		ledger,
		nextDue: () => null,
		appointments: () => [],
	});
	const status = () => statusOf({target: {name: 'shop/db'}, problems: []});
	const snapshots = [...point('old', 'shop/db', 50), ...point('old', 'shop/db', 26), ...point('old', 'shop/app', 1)];

	ledger.look(snapshots);
	t.is(status().newestPoint, undefined, 'it is another agent’s');
	t.is(newestPointOf(status(), now), undefined);
	t.is(whyNever(status().newestPoint), 'it was never backed up');

	deeds.push({kind: 'adopt', by: 'new', at: new Date(now), what: 'old'});
	ledger.look(snapshots);
	t.deepEqual(status().newestPoint, {point: 'old-26', at: new Date(now - 26 * hour).toISOString(), adopted: true});
	t.regex(newestPointOf(status(), now) ?? '', /, adopted$/);
	t.regex(whyNever(status().newestPoint), /^its newest point is of 20.*, and none was made here since$/);

	// Its own runs are told from then on.
	state.insertRun({run: 'new-1', target: 'shop/db', operation: 'backup', trigger: 'cli', queuedAt: now});
	state.startRun('new-1', now);
	state.finishRun('new-1', now, {run: 'new-1', sources: [], outcome: 'success', startedAt: new Date(now).toISOString()} as never);
	t.is(status().lastSuccess?.run, 'new-1');
	t.is(status().newestPoint, undefined);
});

test('points that have a new name are no others’', t => {
	const deeds: Deed[] = [{kind: 'move', by: 'own', at: new Date(now), what: 'old/db', to: 'shop/db'}];
	const ledger = createLedger(
		{learnDeeds() {}},
		{ownership: () => ownershipOf({agentId: 'own', deeds: () => deeds, findRun: () => ({})}), host: 'pi'},
	);
	ledger.look(point('own', 'old/db', 1));
	t.is(ledger.newest('shop/db')?.agent, 'own');
	t.is(ledger.newest('old/db'), undefined);
});
