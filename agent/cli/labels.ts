import {Option} from 'commander';
import {dialectNames} from '../../base/reading/values.ts';
import type {ProjectLabels} from '../../base/shapes/targets.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';

/** In an override file. */
const file = 'compose.holdfast.yml';

export const addLabels: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('labels')
		.description('print the labels that would protect all of a running project, as a file for Compose')
		.argument('<project>', 'as `docker compose ls` names it')
		.addOption(new Option('--from <dialect>', 'what another program is told to do for it, in our words').choices([...dialectNames]))
		.addHelpText(
			'after',
			`\nExamples:\n  $ holdfast labels shop > ${file}\n  $ docker compose -f compose.yml -f ${file} up -d\n  $ holdfast labels shop --json\n  $ holdfast labels shop --from offen`,
		)
		.action(async (project: string, {json, from}: JsonOption & {from?: string}) => {
			const found = await (await connect()).labels(project, from);
			if (json) {
				out.json(found);
			} else if (found.services.length === 0) {
				from === undefined
					? err.line`nothing of ${project} needs a label: what has data is a target, or is left out by its label`
					: err.line`${from} is told nothing of ${project}`;
			} else {
				for (const line of override(found)) {
					out.line`${line}`;
				}
			}

			for (const text of found.lost ?? []) {
				err.line`not translated: ${text}`;
			}

			end(exit.done);
		});
};

/** Pure. A JSON string is one of YAML; Compose reads two dollar signs as one. */
export const override = ({project, services, variables = []}: ProjectLabels): string[] => [
	`# What would protect ${project}: read the reasons, then docker compose -f compose.yml -f ${file} up -d`,
	...(variables.length === 0 ? [] : [`# In the environment of Holdfast's own service:`]),
	...variables.map(({variable, value, because}) => `#   ${variable}: ${JSON.stringify(value).replaceAll('$', '$$$$')}  # ${because}`),
	'services:',
	...services.flatMap(({service, labels, why}) => [
		`  ${JSON.stringify(service)}:`,
		...why.map(reason => `    # ${reason.replaceAll(/[\r\n]+/g, ' ')}`),
		'    labels:',
		...Object.entries(labels).map(([name, value]) => `      ${name}: ${JSON.stringify(value).replaceAll('$', '$$$$')}`),
	]),
];
