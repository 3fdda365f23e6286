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
		.addHelpText(
			'after',
			`\nExamples:\n  $ holdfast labels shop > ${file}\n  $ docker compose -f compose.yml -f ${file} up -d\n  $ holdfast labels shop --json`,
		)
		.action(async (project: string, {json}: JsonOption) => {
			const found = await (await connect()).labels(project);
			if (json) {
				out.json(found);
			} else if (found.services.length === 0) {
				err.line`nothing of ${project} needs a label: what has data is a target, or is left out by its label`;
			} else {
				for (const line of override(found)) {
					out.line`${line}`;
				}
			}

			end(exit.done);
		});
};

/** Pure. A JSON string is one of YAML; Compose reads two dollar signs as one. */
export const override = ({project, services}: ProjectLabels): string[] => [
	`# What would protect ${project}: read the reasons, then docker compose -f compose.yml -f ${file} up -d`,
	'services:',
	...services.flatMap(({service, labels, why}) => [
		`  ${JSON.stringify(service)}:`,
		...why.map(reason => `    # ${reason.replaceAll(/[\r\n]+/g, ' ')}`),
		'    labels:',
		...Object.entries(labels).map(([name, value]) => `      ${name}: ${JSON.stringify(value).replaceAll('$', '$$$$')}`),
	]),
];
