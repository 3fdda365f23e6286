/** What operators ask for: a backup, a drill, a check, and the end of a run. */

import type {Refusal, Started} from '../agent/api/wire.ts';
import {BusyError, explain} from '../base/errors.ts';
import {repositoryTarget} from '../base/results.ts';
import type {Origin} from './deliveries.ts';
import {answer, type Desk, recorded, start} from './desk.ts';
import type {Placed} from './fleet.ts';
import {RefusedError} from './guard.ts';
import {failure, notice} from './messages/lists.ts';
import {referenceOfCommand} from './references.ts';
import {code} from './text.ts';

/** @param reference works once */
export async function backUp(desk: Desk, origin: Origin, placed: Placed, reference: string): Promise<void> {
	await tellRun(desk, origin, 'backup', placed, await startBackup(desk, origin, placed, reference));
}

/** Each on its own: one that is busy does not keep the others. */
export async function backUpAll(desk: Desk, origin: Origin): Promise<void> {
	const {targets, silent} = await desk.fleet.targets();
	const troubles = silent.map(({host, why}) => `${host}: ${why}`);
	let begun = 0;
	for (const placed of targets) {
		try {
			await startBackup(desk, origin, placed, referenceOfCommand(origin, placed.label));
			begun++;
		} catch (error) {
			if (!(error instanceof RefusedError && error.isRepeated)) {
				troubles.push(`${placed.label}: ${explain(error)}`);
			}
		}
	}

	await answer(desk, origin, notice('▶️', `${begun} of ${targets.length} backups began`));
	if (troubles.length > 0) {
		await answer(desk, origin, failure(`${troubles.length} did not begin, or could not be asked`, troubles.join('\n')));
	}
}

/** @param reference works once */
export async function drill(desk: Desk, origin: Origin, placed: Placed, reference: string): Promise<void> {
	const {client} = placed.host;
	const begin = async (trigger: string) => onlyRun(await client.drill({target: placed.target, point: 'latest'}, trigger));
	await tellRun(desk, origin, 'drill', placed, await start(desk, origin, {action: 'drill', operation: 'drill', placed, reference, begin}));
}

/** The repository of every host. */
export async function check(desk: Desk, origin: Origin): Promise<void> {
	const {fleet} = desk;
	for (const host of fleet.hosts) {
		const target = repositoryTarget('primary');
		const placed = {host, target, label: fleet.label(host.name, target)};
		const reference = referenceOfCommand(origin, host.name);
		const begin = async (trigger: string) => host.client.check(null, trigger);
		await tellRun(
			desk,
			origin,
			'check',
			placed,
			await start(desk, origin, {action: 'check', operation: 'check', placed, reference, begin}),
		);
	}
}

/** @param reference works once */
export async function cancel(desk: Desk, origin: Origin, run: string, reference: string): Promise<void> {
	const {fleet, guard} = desk;
	const placed = await fleet.ofRun(run);
	const {host, label} = placed;
	const action = placed.operation === 'restore' ? 'cancel-restore' : 'cancel';
	const also = await fleet.touched(placed);
	const entry = await guard.allow(origin, {action, host, target: label, also, subject: run, reference});
	await recorded(desk, host, entry, async () => {
		await host.client.cancel(run);
		return {outcome: 'done'};
	});
	await answer(desk, origin, notice('⏹️', `run ${code(run)} of ${code(label)} is stopped`));
}

async function startBackup(desk: Desk, origin: Origin, placed: Placed, reference: string): Promise<string> {
	const {client} = placed.host;
	const begin = async (trigger: string) => onlyRun(await client.backup({targets: [placed.target]}, trigger));
	return start(desk, origin, {action: 'backup', operation: 'backup', placed, reference, begin});
}

/** Of the answers to what was asked for one target. @throws {BusyError | Error} as the agent says */
function onlyRun([answer]: ReadonlyArray<Started | Refusal>): string {
	if (answer !== undefined && 'run' in answer) {
		return answer.run;
	}

	const {error = 'the agent did not begin it', hint, status} = answer ?? {};
	throw new (status === 409 ? BusyError : Error)(`${error}${hint ? ` (${hint})` : ''}`);
}

async function tellRun(desk: Desk, origin: Origin, operation: string, {label}: Placed, run: string): Promise<void> {
	await answer(desk, origin, notice('▶️', `${operation} of ${code(label)} is run ${code(run)}`));
}
