/** Drills on a real engine: what is whole passes, and nothing is left, also when the agent dies. By night, what is not whole is found. Lane: waits. */
import test from 'ava';
import {drillKilled, drillStopped, startDrilled} from '../../support/laws/drill-scene.ts';

test('what is whole passes, also of a stopped target; nothing is left behind when the agent dies', async t => {
	t.timeout(5 * 60_000);
	const scene = await startDrilled(t);
	await drillKilled(t, scene, await drillStopped(t, scene));
});
