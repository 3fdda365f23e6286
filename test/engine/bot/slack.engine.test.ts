/** Slack, spoken for real: the image, an agent, an engine, and a Slack that listens beside the test. By night, all of it. Lane: waits. Turns: surfaces. */
import test from 'ava';
import {operator, restorer, second, viewer} from '../../support/doubles/bot.ts';
import {assertTold, backedUpOnce, begin, restoredAndUndone} from '../../support/laws/slack-scene.ts';

test('Slack: a backup, a restore that a second person approves, and its undo', async t => {
	const scene = await begin(t, {bulk: 1000});
	await backedUpOnce(t, scene);
	await restoredAndUndone(t, scene);
	await assertTold(t, scene, [
		`${viewer.user} backup refused null`,
		`${restorer.user} restore allowed waits for 1 to approve`,
		`${second.user} approve allowed success`,
		`${restorer.user} undo allowed waits for 1 to approve`,
		`${operator.user} backup allowed success`,
	]);
});
