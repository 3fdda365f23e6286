/** What an earlier life left, on an engine that cannot remove it. */
import test from 'ava';
import type {Container} from '../../../docker/container.ts';
import {agentLabel, removeLeftovers} from '../../../docker/dismiss.ts';
import type {Engine} from '../../../docker/engine.ts';

const agentId = 'a'.repeat(16);

const engineWith = (state: Container['state'], after: Container['state'] | undefined) => {
	let isTried = false;
	const removed: string[] = [];
	const engine = {
		list: async () => {
			const now = isTried ? after : state;
			return now === undefined
				? []
				: [{id: 'w', name: 'holdfast-repository-r1', labels: {[agentLabel]: agentId, 'holdfast.worker': 'r1'}, state: now}];
		},
		async remove(id: string) {
			isTried = true;
			removed.push(id);
			if (after !== undefined) {
				throw Object.assign(new Error('unable to remove filesystem: device or resource busy'), {statusCode: 500});
			}
		},
		listVolumes: async () => ['staging'],
		async removeVolume(name: string) {
			removed.push(name);
		},
	} as unknown as Engine;
	return {engine, removed};
};

test('what is left and can do nothing more keeps no agent from starting; who may be at work does', async t => {
	const whole = engineWith('running', undefined);
	t.deepEqual(await removeLeftovers(whole.engine, agentId), {names: ['holdfast-repository-r1'], left: undefined});
	t.deepEqual(whole.removed, ['w', 'staging']);
	for (const state of ['exited', 'dead', 'removing'] as Array<Container['state']>) {
		const {engine, removed} = engineWith('running', state);
		const {left} = await removeLeftovers(engine, agentId);
		t.regex(String((left as AggregateError).errors[0]), /device or resource busy/);
		t.deepEqual(removed, ['w', 'staging'], 'every removal is tried');
	}

	await t.throwsAsync(removeLeftovers(engineWith('running', 'running').engine, agentId), {message: /could not be removed/});
});
