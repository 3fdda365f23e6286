import test from 'ava';
import {type ConfigError, loadConfig} from '../../../../agent/config/config.ts';
import type {Variables} from '../../../../agent/config/environment.ts';

const missing = () => {
	throw Object.assign(new Error('none'), {code: 'ENOENT'});
};

const load = (variables: Variables, files: Record<string, string> = {}) =>
	loadConfig(variables, {readFile: path => files[path] ?? missing()});

const tokens = {SLACK_BOT_TOKEN: 'xoxb-1-secret', SLACK_APP_TOKEN: 'xapp-1-secret'};

const problems = (variables: Variables, files: Record<string, string> = {}): string => {
	try {
		load(variables, files);
		return '';
	} catch (error) {
		return (error as ConfigError).message;
	}
};

test('without Slack variables there is no bot', t => {
	t.is(load({}).slack, undefined);
});

test('the variables alone are enough', t => {
	const {slack, agents, secrets} = load({
		...tokens,
		HOLDFAST_SLACK_CHANNEL: 'C0BACKUPS',
		HOLDFAST_SLACK_OPERATORS: 'U01, S02',
		HOLDFAST_SLACK_RESTORERS: 'U01',
		HOLDFAST_SLACK_APPROVALS: '2',
		HOLDFAST_SLACK_API_URL: 'http://slack:3000/api/',
		HOLDFAST_AGENT_URL: 'http://holdfast:9797',
		HOLDFAST_API_TOKEN: 'token-token-token',
	});
	t.like(slack, {
		appToken: 'xapp-1-secret',
		channel: 'C0BACKUPS',
		apiUrl: 'http://slack:3000/api/',
		listen: {port: 9798},
	});
	t.deepEqual(agents, [{name: 'agent', url: 'http://holdfast:9797', token: 'token-token-token'}]);
	t.deepEqual(slack?.access, {viewers: undefined, operators: ['U01', 'S02'], restorers: ['U01'], approvals: 2, targets: []});
	t.deepEqual(secrets.toSorted(), ['token-token-token', 'token-token-token', 'xapp-1-secret', 'xoxb-1-secret']);
});

test('the file adds hosts and rules for targets', t => {
	const {slack, agents} = load(
		{...tokens, HOLDFAST_SLACK_OPERATORS: 'U01'},
		{
			'/etc/holdfast/config.yml': `
slack:
  channel: C0123
  viewers: [U01, S02]
  operators: U09
  digest: "0 8 * * *"
  targets:
    - {match: shop/*, restorers: "U05, U06", approvals: 2}
agents:
  alpha: {url: "http://alpha:9797", token: token-token-token}
  beta: {url: "http://beta:9797", tokenFile: /run/secrets/beta}
`,
			'/run/secrets/beta': 'beta-beta-beta-beta\n',
		},
	);
	t.deepEqual(slack?.access, {
		viewers: ['U01', 'S02'],
		operators: ['U01'],
		restorers: [],
		approvals: 1,
		targets: [{match: 'shop/*', restorers: ['U05', 'U06'], approvals: 2}],
	});
	t.is(slack?.digest, '0 8 * * *');
	t.deepEqual(
		agents.map(({name, token}) => [name, token]),
		[
			['alpha', 'token-token-token'],
			['beta', 'beta-beta-beta-beta'],
		],
	);
});

test('every mistake is told, and no secret with it', t => {
	t.regex(problems({SLACK_APP_TOKEN: 'xapp-1'}), /`SLACK_BOT_TOKEN` is missing/);
	t.regex(problems({SLACK_BOT_TOKEN: 'xoxb-1'}), /needs `SLACK_APP_TOKEN`.* or `SLACK_SIGNING_SECRET`/);
	t.notRegex(problems({SLACK_BOT_TOKEN: 'hunter22', SLACK_APP_TOKEN: 'hunter23'}), /hunter/);
	t.regex(problems({...tokens, HOLDFAST_SLACK_CHANNEL: '#backups'}), /must be a channel's id/);
	t.regex(problems({...tokens, HOLDFAST_SLACK_OPERATORS: '@ann'}), /must be ids of people/);
	t.regex(problems({...tokens, HOLDFAST_SLACK_APPROVALS: '0'}), /from 1 to 9/);
	const file = (content: string) => problems(tokens, {'/etc/holdfast/config.yml': content});
	t.regex(file('agents: {alpha: {url: "http://a:1"}}'), /`agents.alpha` has no token/);
	t.regex(file('agents: {alpha: {url: nowhere, token: token-token-token}}'), /must be an address/);
	t.regex(file('slack: {operater: U01}'), /did you mean `operators`/);
});
