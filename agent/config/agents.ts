/** The agents of other hosts, for the bot and for who looks at all of them: the section `agents` of the configuration file, or `HOLDFAST_AGENT_URL`. */
import * as z from 'zod';
import {matching} from '../../base/reading/reader.ts';
import {named, text} from '../../base/reading/structure.ts';
import {readName} from '../../base/reading/values.ts';
import {createEnvironment, type Environment} from './environment.ts';
import {readApiToken, readUrl} from './values.ts';

export interface AgentAddress {
	name: string;
	url: string;
	token: string;
}

const readFilePath = matching(/^\/[^\0]+$/, 'must be the absolute path of a file in this container');

export const agentsSection = named(
	readName,
	z.strictObject({url: text(readUrl), token: z.string().optional(), tokenFile: text(readFilePath).optional()}),
);

interface ReadAgents {
	environment: Environment;
	/** The section, and the file that it is in. */
	section: z.output<typeof agentsSection> | undefined;
	path: string;
	/** Of this container's agent; '' where it is not known yet. */
	apiToken: string;
	readFile: (path: string) => string;
}

/** Empty: nothing says so, and the agent of this container is meant. What is wrong becomes a problem of the environment. */
export const readAgents = ({environment, section, path, apiToken, readFile}: ReadAgents): AgentAddress[] =>
	section === undefined ? ownAddress(environment, apiToken) : readAddresses(section, {environment, path, readFile});

/** Where there is one, the environment says it. */
function ownAddress({value}: Environment, token: string): AgentAddress[] {
	const url = value('HOLDFAST_AGENT_URL', readUrl);
	return url === undefined ? [] : [{name: 'agent', url, token}];
}

interface Addresses {
	environment: Environment;
	path: string;
	readFile: (path: string) => string;
}

function readAddresses(section: z.output<typeof agentsSection>, {environment, path, readFile}: Addresses): AgentAddress[] {
	return Object.entries(section).map(([name, {url, token, tokenFile}]) => {
		const key = `agents.${name}.token`;
		const reading = createEnvironment({[key]: token, [`${key}File`]: tokenFile}, readFile, {fileSuffix: 'File'});
		const opened = reading.secret(key, readApiToken);
		if (opened === undefined) {
			reading.problem(`\`agents.${name}\` has no token`, 'give `tokenFile`, the path of a file with the token of its HTTP API in it');
		}

		for (const {message, hint} of reading.problems) {
			environment.problem(`\`${path}\`: ${message}`, hint);
		}

		return {name, url, token: opened ?? ''};
	});
}
