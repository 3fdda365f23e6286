/** Slack: is the bot of this agent connected. */
import type {Finding} from '../../base/shapes/targets.ts';

/** @param isConnected undefined where there is no bot */
export function examineSlack(isConnected: boolean | undefined): Finding {
	const subject = 'slack';
	if (isConnected === undefined) {
		return {level: 'ok', subject, message: 'no bot runs in this container: `SLACK_BOT_TOKEN` is not set'};
	}

	return isConnected
		? {level: 'ok', subject, message: 'the bot is connected'}
		: {
				level: 'error',
				subject,
				message: 'the bot is not connected: Slack hears of nothing',
				hint: 'the log of the agent says why: a token that Slack refuses, or no way out to it; see docs/slack.md',
			};
}
