/** Slack's part of the configuration: the variables, and the section `slack` of the configuration file. */
import * as z from 'zod';
import {readCronLine} from '../../base/reading/cron-line.ts';
import {matching, nonEmptyText, type Reader} from '../../base/reading/reader.ts';
import {text} from '../../base/reading/structure.ts';
import type {Environment} from './environment.ts';
import {type Listen, readListen, readUrl} from './values.ts';

/** Ids of people (`U…`, `W…`) and of user groups (`S…`). */
export type People = readonly string[];

/** Replaces, for the targets that it matches, the lists that it names. */
export interface TargetRule {
	/** `shop/*`, `host:shop/db`. */
	match: string;
	viewers?: People | undefined;
	operators?: People | undefined;
	restorers?: People | undefined;
	approvals?: number | undefined;
}

export interface AccessRules {
	/** Undefined: everybody of the team. */
	viewers: People | undefined;
	operators: People;
	restorers: People;
	/** How many people a restore needs, the one who asks included. */
	approvals: number;
	/** The first that matches counts. */
	targets: readonly TargetRule[];
}

export interface SlackConfig {
	botToken: string;
	/** Socket Mode. */
	appToken: string | undefined;
	/** HTTP, where there is no app token. */
	signingSecret: string | undefined;
	/** Where Slack's requests arrive in HTTP mode. */
	listen: Listen;
	/** Elsewhere than at Slack; for tests. */
	apiUrl: string | undefined;
	/** Where failures, runs and approvals are posted. */
	channel: string | undefined;
	/** A cron line. */
	digest: string | undefined;
	access: AccessRules;
}

const readPerson = matching(/^[UWS][A-Z0-9]{2,20}$/, 'must be ids of people (`U…`, `W…`) or of user groups (`S…`), not names');
const readChannel = matching(
	/^[CG][A-Z0-9]{2,20}$/,
	"must be a channel's id (`C…`), not its name: Slack shows it below the channel's details",
);
const readBotToken = matching(/^xoxb-[\w-]+$/, 'must begin with `xoxb-`');
const readAppToken = matching(/^xapp-[\w-]+$/, 'must begin with `xapp-`');

const readApprovals: Reader<number> = count =>
	/^[1-9]$/.test(count) ? {value: Number(count)} : {rule: 'must be a whole number from 1 to 9'};

/** In the file, as in a variable: one text, the ids separated by commas; or a list. */
const people = z.union([z.array(text(readPerson)), text(readPeople())]);

function readPeople(): Reader<string[]> {
	return list => {
		const ids = list
			.split(',')
			.map(id => id.trim())
			.filter(Boolean);
		const wrong = ids.map(readPerson).find(read => 'rule' in read);
		return wrong && 'rule' in wrong ? {rule: wrong.rule} : {value: ids};
	};
}

const rule = {
	viewers: people.optional(),
	operators: people.optional(),
	restorers: people.optional(),
	approvals: text(readApprovals).optional(),
};

export const slackSection = z.strictObject({
	...rule,
	channel: text(readChannel).optional(),
	digest: text(readCronLine).optional(),
	targets: z.array(z.strictObject({match: text(nonEmptyText), ...rule})).optional(),
});

interface ReadSlack {
	environment: Environment;
	section: z.output<typeof slackSection> | undefined;
}

/** Undefined without `SLACK_BOT_TOKEN`. What is wrong becomes a problem of the environment. */
export function readSlack({environment, section = {}}: ReadSlack): {slack: SlackConfig | undefined; secrets: string[]} {
	const {value, secret, problem} = environment;
	const botToken = secret('SLACK_BOT_TOKEN', readBotToken);
	const appToken = secret('SLACK_APP_TOKEN', readAppToken);
	const signingSecret = secret('SLACK_SIGNING_SECRET');
	const slack = {
		botToken: botToken ?? '',
		appToken,
		signingSecret,
		listen: value('HOLDFAST_SLACK_LISTEN', readListen) ?? {host: undefined, port: 9798},
		apiUrl: value('HOLDFAST_SLACK_API_URL', readUrl),
		channel: value('HOLDFAST_SLACK_CHANNEL', readChannel) ?? section.channel,
		digest: section.digest,
		access: {
			viewers: section.viewers,
			operators: value('HOLDFAST_SLACK_OPERATORS', readPeople()) ?? section.operators ?? [],
			restorers: value('HOLDFAST_SLACK_RESTORERS', readPeople()) ?? section.restorers ?? [],
			approvals: value('HOLDFAST_SLACK_APPROVALS', readApprovals) ?? section.approvals ?? 1,
			targets: section.targets ?? [],
		},
	};
	if (botToken === undefined) {
		if (appToken !== undefined || signingSecret !== undefined) {
			problem(
				'`SLACK_BOT_TOKEN` is missing, and `SLACK_APP_TOKEN` or `SLACK_SIGNING_SECRET` is set',
				'docs/slack.md says where it is found',
			);
		}
	} else if (appToken === undefined && signingSecret === undefined) {
		problem('`SLACK_BOT_TOKEN` needs `SLACK_APP_TOKEN` (Socket Mode) or `SLACK_SIGNING_SECRET` (HTTP)', 'docs/slack.md says which');
	}

	const secrets = [botToken, appToken, signingSecret];
	return {
		slack: botToken === undefined ? undefined : slack,
		secrets: secrets.filter(each => each !== undefined),
	};
}
