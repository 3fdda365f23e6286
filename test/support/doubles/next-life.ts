/** What an agent does at its start on a workshop in memory: puts back, and settles restores. As agent/daemon.ts has it, and it may be killed, too. */
import {setTimeout as delay} from 'node:timers/promises';
import {finishRestore} from '../../../agent/restore/finish.ts';
import {isHeldBack, recoverRestores} from '../../../agent/restore/recover.ts';
import type {Settle} from '../../../agent/restore/settle.ts';
import {undoRestore} from '../../../agent/restore/undo.ts';
import type {UndoPlan} from '../../../agent/restore/undo-plan.ts';
import {keyOf, untouched} from '../../../agent/sources/restoring.ts';
import type {RestoreRecord} from '../../../agent/state/restores.ts';
import type {State} from '../../../agent/state/state.ts';
import {createEventHub} from '../../../base/events.ts';
import {undoUnfinished} from '../../../docker/unfinished.ts';
import type {Fault} from './faults.ts';
import {containers, memoryWorkshop, type Scene} from './workshop.ts';

const {signal} = new AbortController();

/** Of all that the scene has. */
export const undoPlan = ({replacements}: Pick<RestoreRecord, 'replacements'>, hooks: UndoPlan['hooks'] = []): UndoPlan => ({
	containers: new Map(replacements.map((each, index) => [keyOf(each), containers[index] as (typeof containers)[number]])),
	mounts: [],
	stop: containers.map(container => ({container, action: 'stop' as const, reason: 'the target'})),
	stopLimitMs: 60_000,
	hooks,
	problems: [],
	strangers: [],
});

async function recover({workshop, tell}: Scene, hooks: UndoPlan['hooks']): Promise<void> {
	const {engine, journal, restores} = workshop;
	const upTo = journal.open().at(-1)?.id ?? 0;
	const state = {...journal, ...restores, interruptedRuns: () => [], findRun: () => undefined} as unknown as State;
	const log = {debug() {}, info() {}, warning() {}, error() {}};
	const underWay = new Set<string>();
	const settle: Settle = (record, verb, {startStopped}) => {
		const run = `${verb} ${restores.restores().length} ${record.run} ${Math.random()}`;
		const isLoading = record.phase === 'loading';
		const plan = undoPlan(record, hooks);
		const work = verb === 'undo' ? undoRestore : finishRestore;
		underWay.add(run);
		const finished = work(workshop, {
			run,
			record: isLoading ? {...record, replacements: record.replacements.map(untouched)} : record,
			plan: isLoading ? {...plan, stop: [], hooks: []} : plan,
			tell,
			startStopped,
		}).finally(() => underWay.delete(run));
		return {run, finished};
	};
	const putBack = async (): Promise<void> => {
		const isWanted = (entry: Parameters<typeof isHeldBack>[0]) => entry.id <= upTo && !isHeldBack(entry, restores);
		while ((await undoUnfinished({engine, journal, isWanted, signal})).open > 0) {
			await delay(2000);
		}
	};
	await Promise.all([
		putBack(),
		recoverRestores(
			{engine, state, hub: createEventHub(() => {}), log, notices: {send() {}}, isGone: async () => false},
			{settle, upTo, signal, isUnderWay: run => underWay.has(run)},
		),
	]);
}

/** Works until that is over or its agent is dead; then one life after another begins, each of which dies at its fault, and a last one that does not. */
export async function liveOn(
	scene: Scene,
	work: () => Promise<unknown>,
	[first, ...later]: readonly Fault[],
	hooks: UndoPlan['hooks'] = [],
): Promise<Scene> {
	scene.fail(first === undefined ? [] : [first]);
	await Promise.race([work(), scene.death]);
	let life = scene;
	for (const fault of [...later, undefined]) {
		life = memoryWorkshop(scene.workshop.folder, scene);
		life.fail(fault === undefined ? [] : [fault]);
		await Promise.race([recover(life, hooks), life.death]);
	}

	// What somebody was still at is over by then.
	await delay(10_000);
	return life;
}
