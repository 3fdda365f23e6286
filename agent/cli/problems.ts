import {label} from '../../base/label.ts';
import type {Problem} from '../../base/problem.ts';
import type {Output} from './output.ts';
import {styled} from './text.ts';

/** Below a table: what keeps targets from being backed up. */
export function printProblems(output: Output, rows: ReadonlyArray<{target: string; problems: readonly Problem[]}>): void {
	for (const {target, problems} of rows) {
		for (const {message, hint} of problems) {
			output.line`${target}: ${styled('red', 'problem')}: ${message}${inBrackets(hint)}`;
		}
	}
}

export const inBrackets = (hint: string | undefined): string => (hint ? ` (${hint})` : '');

/** What to do where there is nothing to show. */
export const howToLabel = (): string =>
	`no targets: give a service the label \`${label('enable')}=true\` (docs/labels.md), or look at HOLDFAST_PROJECTS`;
