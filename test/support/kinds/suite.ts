/**
 * What every kind of source must stand, on a real engine: what was backed up comes back as it was, with names that bite; a producer that fails
 * makes no point; a cancel and a kill leave one state or the other, never half of one; a restore can be undone; a rehearsal succeeds.
 */
import type {ExecutionContext} from 'ava';
import type {BackupResult, RestoreResult} from '../../../base/results.ts';
import {some} from '../laws/cover.ts';
import {killedRestore} from '../laws/killed-restore.ts';
import {connect} from '../stack/connect.ts';
import {type Service, type Stack, startStack} from '../stack.ts';

export interface KindCase {
	/** As in names of sources. */
	kind: string;
	/** Of which `app` is the target. */
	services: () => Promise<Record<string, Service>>;
	volumes?: readonly string[];
	/** Answers when the service can be written to, and has made what never changes: names that bite, and one of each thing that there is. */
	begin: (stack: Stack) => Promise<unknown>;
	/** Changes what is there, so that `read` says something else for each word. */
	write: (stack: Stack, word: string) => Promise<unknown>;
	/** All that a restore must bring back, by the kind's own programs. */
	read: (stack: Stack) => Promise<string>;
	/** From now on a backup cannot read all of it. @returns what mends it. Missing: nothing could be in the way. */
	spoil?: (stack: Stack) => Promise<() => Promise<unknown>>;
	/** What a restore made or keeps beside the live data. */
	kept: (stack: Stack) => Promise<string>;
}

const token = 'a-token-for-the-suite-of-kinds';

/** At these steps of a restore the agent is killed: at the swap, and by day at one of the others, another for each commit. */
const fatal = ['load', 'safety-point', 'start'] as const;

/** @param test of ava, serial or not */
export function testKind(
	test: (title: string, body: (t: ExecutionContext) => Promise<void>) => void,
	{kind, services, volumes = [], begin, write, read, spoil, kept}: KindCase,
	{isWhole = false}: {isWhole?: boolean} = {},
): void {
	test(`${kind}: round trip, undo, failing producer, cancel, kill, rehearsal`, async t => {
		t.timeout(12 * 60_000);
		const stack = await startStack(t, {services: await services(), volumes, holdfast: {environment: {HOLDFAST_API_TOKEN: token}}});
		const target = `${stack.project}/app`;
		const points = async () => (JSON.parse((await stack.holdfast('points', target, '--json')).stdout) as unknown[]).length;
		const settle = async (verb: 'undo' | 'finish', run: string) =>
			JSON.parse((await stack.holdfast('restore', verb, run, '--json')).stdout) as RestoreResult;
		await begin(stack);
		await write(stack, 'first');
		const first = await read(stack);
		succeeded(t, (await stack.backup(target))[0]);
		await write(stack, 'second');
		const second = await read(stack);
		t.not(second, first);

		await t.notThrowsAsync(async () => {
			const restored = await stack.restore(target);
			succeeded(t, restored);
			t.is(await read(stack), first, 'round trip');
			succeeded(t, await settle('undo', restored.run));
			t.is(await read(stack), second, 'undo');
			t.is(await kept(stack), '', 'undo leaves nothing');
		});

		if (spoil !== undefined) {
			const mend = await spoil(stack);
			const [failed] = await stack.backup(target);
			// Others of the same service may be whole; what is not there at all, the plan refuses.
			t.is(failed?.point, null, 'a producer that fails makes no point');
			t.not(failed?.outcome, 'success');
			t.is(await points(), 1);
			await mend();
		}

		await cancelled(t, stack, target);
		t.is(await points(), 1, 'no point of a cancelled run');
		t.is(await read(stack), second);

		for (const step of ['swap', ...some(fatal, {isWhole, count: 1, nameOf: each => `${kind} ${each}`})]) {
			const {run} = await killedRestore({stack, token, target, step});
			const found = await read(stack);
			t.true(found === first || found === second, `killed at ${step}: half of it is there`);
			if (found === first) {
				succeeded(t, await settle('undo', run));
			}

			t.is(await read(stack), second, `killed at ${step}: what was there is there again`);
			t.is(await kept(stack), '', `killed at ${step}: nothing is left`);
		}

		const again = await stack.restore(target);
		succeeded(t, again);
		t.is(await read(stack), first);
		succeeded(t, await settle('finish', again.run));
		t.is(await kept(stack), '', 'finish leaves nothing');
		const drill = await stack.holdfast('drill', target, '--json');
		t.is(drill.exitCode, 0, drill.stdout + drill.stderr);
		succeeded(t, (await stack.backup(target))[0]);
	});
}

function succeeded(t: ExecutionContext, result: BackupResult | RestoreResult | undefined): void {
	t.is(result?.outcome, 'success', result?.error);
}

async function cancelled(t: ExecutionContext, stack: Stack, target: string): Promise<void> {
	const agent = await connect({stack, token});
	const run = await agent.start(target);
	for await (const event of agent.follow(run)) {
		if (event.type === 'step' && event.step === 'store') {
			// Not by the command line, whose start may take longer than the run.
			await agent.cancel(run);
		}
	}

	t.not((await agent.result(run)).outcome, 'success', 'a cancelled run');
}
