/** The agent stays small while a dump flows past it, and one through it; by night, more of it, and many targets. Lane: waits. */
import test from 'ava';
import {agentStaysSmall} from '../../support/laws/memory-law.ts';

test('the agent stays below 256 MiB while 300 MB flow into a slow repository, by a worker and through itself', async t => {
	t.timeout(5 * 60_000);
	await agentStaysSmall(t, 300);
});
