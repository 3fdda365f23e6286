import type {Finding} from '../../base/shapes/targets.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {inBrackets} from './problems.ts';
import {type Style, styled} from './text.ts';

const styleOfLevel: Record<Finding['level'], Style> = {ok: 'green', warning: 'yellow', error: 'red'};

export const addDoctor: AddCommand = (program, {connect, out, end}) => {
	program
		.command('doctor')
		.description('look for what is unprotected or misconfigured; exit 1 when there is an error')
		.addHelpText('after', '\nExamples:\n  $ holdfast doctor\n  $ holdfast doctor --json')
		.action(async ({json}: JsonOption) => {
			const findings = await (await connect()).doctor();
			if (json) {
				out.json(findings);
			} else {
				out.table(
					[{title: 'LEVEL'}, {title: 'SUBJECT', wrap: 24}, {title: 'FINDING', wrap: 12}],
					findings.map(({level, subject, message, hint}) => [styled(styleOfLevel[level], level), subject, message + inBrackets(hint)]),
				);
			}

			end(findings.some(({level}) => level === 'error') ? exit.failed : exit.done);
		});
};
