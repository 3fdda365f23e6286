/** Failures that nobody in Slack asked for: told once, taken back when it is well again. */
import test from 'ava';
import type {RunView} from '../../../base/shapes/runs.ts';
import {judgeRuns} from '../../../bot/incidents.ts';
import {allText, operator, startBotTest, target} from '../../support/doubles/bot.ts';
import type {FakeAgent} from '../../support/doubles/fake-agent.ts';
import {until} from '../../support/until.ts';

/** A run of the schedule that ended so. */
async function scheduled(agent: FakeAgent, outcome: 'success' | 'failed', error?: string): Promise<RunView> {
	const {run} = await agent.backup(target, 'schedule');
	agent.finish(run, {outcome, ...(error === undefined ? {} : {error})});
	return agent.run(run);
}

/** Long enough to look several times. */
const looks = async (agent: FakeAgent) => {
	let count = 0;
	const {runs} = agent;
	agent.runs = options => {
		count++;
		return runs(options);
	};
	await until('it was looked at', () => count >= 4, {interval: 5});
	agent.runs = runs;
};

test('a failure of the schedule is posted once, also over a restart, and resolved in place when it is well again', async t => {
	const {slack, agent, message, restart} = await startBotTest(t);
	await scheduled(agent, 'success');
	await scheduled(agent, 'failed', 'the repository is full (make room)');
	const told = await message(/the repository is full/);
	t.true(allText(told).includes('make room'));
	await looks(agent);
	await until('it is noted', () => Object.values(agent.notes()).some(note => note.includes(told.ts)));
	await restart();
	await looks(agent);
	await scheduled(agent, 'failed', 'still full');
	await message(/still full/);
	t.is(slack.messages.length, 1);
	await scheduled(agent, 'success');
	await until('it is resolved', () => allText(told).includes('well again'));
	t.is(slack.messages.length, 1);
	await until('the note is gone', () => Object.keys(agent.notes()).length === 0);
	await scheduled(agent, 'failed', 'another time');
	await message(/another time/);
	t.is(slack.messages.length, 2);
	t.deepEqual(slack.mistakes, []);
});

test('what failed while Slack was away is told when it is back; what was asked for in Slack is not told twice', async t => {
	const {slack, agent, message, isConnected} = await startBotTest(t, {
		unconnected: true,
		prepare(fake) {
			fake.fault = 'down';
		},
	});
	await scheduled(agent, 'failed', 'at night');
	slack.fault = '';
	await until('connected', isConnected);
	await message(/at night/);
	await scheduled(agent, 'success');
	await message(/well again/);
	await slack.command(operator, '/backup', `now ${target}`);
	await message(/queued/);
	agent.finish('run-3', {outcome: 'failed', error: 'by hand'});
	await message(/by hand/);
	await looks(agent);
	t.is(slack.messages.filter(each => allText(each).includes('by hand') && each.thread === undefined).length, 1);
});

test('a restore or an import that failed is told, also where the next start of the agent has rolled it back', t => {
	const run = (more: Partial<RunView>) =>
		({
			run: 'r',
			target,
			operation: 'restore',
			trigger: 'cli',
			state: 'finished',
			outcome: 'failed',
			result: {error: 'it broke'},
			...more,
		}) as RunView;
	const told = (...runs: RunView[]) => judgeRuns(runs).incidents.map(({what, text}) => `${what}: ${text}`);
	t.deepEqual(told(run({}), run({operation: 'import'})), ['restore: it broke', 'import: it broke']);
	t.deepEqual(told(run({trigger: 'roll-back', outcome: 'success'}), run({})), ['restore: it broke']);
	t.deepEqual(told(run({trigger: 'roll-back', result: {error: 'not back'} as RunView['result']}), run({})), ['restore: not back']);
	t.deepEqual(told(run({trigger: 'recovery', outcome: 'success'}), run({})), [], 'what a person had asked for is done');
});

test('a late target is told once, also while a run of it hangs, and taken back', async t => {
	const {slack, agent, message} = await startBotTest(t);
	const [row] = agent.has.status;
	const good = row?.lastSuccess ?? null;
	const at = new Date(Date.now() - 5 * 24 * 3_600_000).toISOString();
	Object.assign(row ?? {}, {lastSuccess: {run: 'run-0', at}, late: at, running: 'run-9'});
	const told = await message(/late/);
	t.true(allText(told).includes('run run-9 has not ended'));
	await looks(agent);
	t.is(slack.messages.length, 1);
	Object.assign(row ?? {}, {lastSuccess: good, late: undefined});
	await until('it is resolved', () => allText(told).includes('well again'));
	t.deepEqual(slack.mistakes, []);
});

test('an agent that does not answer is told, and that it does again', async t => {
	const {agent, message} = await startBotTest(t, {pace: {awayMs: 100}});
	const {runs} = agent;
	agent.runs = () => {
		throw new Error('away');
	};
	const told = await message(/does not answer/);
	agent.runs = runs;
	await until('it is back', () => allText(told).includes('answers again'));
	t.pass();
});

test('the digest comes when it is due, once', async t => {
	let clock = Date.UTC(2026, 10, 21, 7, 59, 59);
	const {slack, agent, message} = await startBotTest(t, {config: {digest: '0 8 * * *'}, now: () => clock});
	await looks(agent);
	t.is(slack.messages.length, 0);
	clock += 2000;
	t.true(allText(await message(/Backups today/)).includes('1 target'));
	await looks(agent);
	t.is(slack.messages.length, 1);
	t.deepEqual(slack.mistakes, []);
});
