/** A stack that is removed, and deployed anew on another node: it has moved there, as the node that had it sees, which is no manager. Lane: waits. */
import test from 'ava';
import type {StatusView} from '../../../base/shapes/targets.ts';
import {docker} from '../../support/docker.ts';
import {canStartSecondEngine} from '../../support/machine/second-engine.ts';
import {hasVxlan} from '../../support/machine/vxlan.ts';
import {deployStack, idleTask} from '../../support/stack/deploy.ts';
import {startNodes} from '../../support/stack/two-nodes.ts';
import {until} from '../../support/until.ts';

const patience = {timeout: 240_000, interval: 1000};

if ((await canStartSecondEngine()) && (await hasVxlan())) {
	test('a stack deployed anew on another node of the same Swarm is not missed on the one that had it', async t => {
		t.timeout(20 * 60_000);
		const {first, second, folder, app, swarm, taskOf, inTask, of, backUp, ready, running} = await startNodes(t);
		const deploy = async (node: string) =>
			deployStack(first, 'shop', {
				services: {
					app: idleTask(app, {volumes: [`${folder}/data:/data`], deploy: {placement: {constraints: [`node.hostname == ${node}`]}}}),
				},
			});
		await deploy('node-b');
		await running(second, 'shop_app');
		await inTask(second, 'shop_app', 'sh', '-c', 'echo precious >/data/file');
		const [before] = await backUp(second);
		t.like(before, {target: 'shop/app', outcome: 'success'}, before?.error);

		await swarm('stack', 'rm', 'shop');
		await until('the stack to be gone', async () => (await taskOf(second, 'shop_app')) === '', patience);
		await until(
			'its service to be gone',
			async () => !(await swarm('service', 'ls', '--format', '{{.Name}}')).includes('shop_app'),
			patience,
		);
		const standing = async () => (await of<StatusView[]>(second, 'status')).find(({target}) => target === 'shop/app');
		await until('it to be missed', async () => (await standing().catch(() => undefined))?.goneSince !== undefined, patience);
		await deploy('node-a');
		await running(first, 'shop_app');
		await until('the other agent to find it', async () => JSON.stringify(await of(first, 'targets')).includes('shop/app'), patience);
		const [after] = await backUp(first);
		t.like(after, {target: 'shop/app', outcome: 'success'}, after?.error);

		// A new life looks into the repository at once
		await docker(['kill', await taskOf(second, 'holdfast_agent')], {host: second.host});
		await ready(second);
		await until('it to be seen where it is', async () => (await standing().catch(() => undefined))?.movedTo?.host === 'node-a', {
			...patience,
			timeout: 720_000,
		});
		t.is((await standing())?.goneSince, undefined);
	});
} else {
	test.skip('only root on Debian with a local engine and VXLAN can try this', t => t.pass());
}
