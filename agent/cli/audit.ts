import type {AuditView} from '../../base/audit.ts';
import {moment} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {limitOption} from './limit-option.ts';
import {styled, type Text} from './text.ts';

interface AuditOptions extends JsonOption {
	target?: string;
	limit: number;
}

export const addAudit: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('audit')
		.description('who asked for what, from where, and whether it was allowed; newest first')
		.option('--target <target>', 'only what concerns this one')
		.addOption(limitOption({what: 'how many', usual: 50, most: 1000}))
		.addHelpText('after', '\nExamples:\n  $ holdfast audit\n  $ holdfast audit --target shop/db --json')
		.action(async ({json, target, limit}: AuditOptions) => {
			const entries = await (await connect()).audit({subject: target, limit});
			if (json) {
				out.json(entries);
			} else if (entries.length === 0) {
				err.line`nobody asked for anything yet`;
			} else {
				out.table(
					[
						{title: 'WHEN'},
						{title: 'WHO', wrap: 12},
						{title: 'FROM', wrap: 12},
						{title: 'WHAT'},
						{title: 'SUBJECT', wrap: 24},
						{title: 'DECISION', wrap: 12},
						{title: 'OUTCOME', wrap: 12},
					],
					entries.map(entry => [
						moment(entry.at),
						entry.who,
						entry.place || '-',
						entry.action,
						entry.subject || '-',
						decision(entry),
						entry.outcome ?? (entry.run === null ? '-' : `run ${entry.run}`),
					]),
				);
			}

			end(exit.done);
		});
};

const decision = ({decision, reason}: AuditView): Text =>
	decision === 'allowed' ? decision : styled('yellow', reason === null ? decision : `${decision}: ${reason}`);
