import type {Kit} from '../../base/shapes/kit.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {kitPage} from './kit-page.ts';
import {fileLines, openingLines, placeOf, steps, warning} from './kit-words.ts';
import type {Output} from './output.ts';
import {styled} from './text.ts';

interface KitOptions extends JsonOption {
	kept?: true;
	page?: true;
}

export const addKit: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('kit')
		.description('print what is needed when the host is gone: where the repositories are, and what opens them')
		.option('--page', 'as a page (HTML) to print')
		.option('--kept', 'say that it is kept elsewhere: then nobody is reminded any more, until something of it changes')
		.addHelpText('after', '\nExamples:\n  $ holdfast kit\n  $ holdfast kit --page >kit.html\n  $ holdfast kit --kept')
		.action(async ({json, kept, page}: KitOptions) => {
			const client = await connect();
			if (kept) {
				const answer = await client.keepKit();
				json ? out.json(answer) : err.line`noted: what opens the repositories is kept elsewhere`;
				return end(exit.done);
			}

			const kit = await client.kit();
			if (json) {
				out.json(kit);
			} else if (page) {
				out.raw(`${await kitPage(kit)}\n`);
			} else {
				printKit(out, kit);
			}

			if (kit.kept === null && !json) {
				err.line`${styled('yellow', 'when it is kept')} elsewhere, on paper or in a password manager: holdfast kit --kept`;
			}

			end(exit.done);
		});
};

function printKit(out: Output, kit: Kit): void {
	out.line`${styled('bold', `Recovery kit of \`${kit.host}\``)}, Holdfast ${kit.version}, ${kit.madeAt}, agent ${kit.agent}`;
	out.line`${warning}`;
	for (const repository of kit.repositories) {
		out.line``;
		out.line`${styled('bold', repository.name)} (${placeOf(repository)})`;
		for (const line of openingLines(repository)) {
			out.line`  ${line}`;
		}

		for (const {heading, lines} of repository.files.map(fileLines)) {
			out.line`  ${styled('bold', heading)}`;
			for (const line of lines) {
				out.raw(`    ${line}\n`);
			}
		}
	}

	out.line``;
	out.line`${styled('bold', 'How to begin')}`;
	for (const [index, step] of steps(kit).entries()) {
		out.line`  ${String(index + 1)}. ${step}`;
	}
}
