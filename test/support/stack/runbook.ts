/** A runbook page of docs/, carried out as it stands: its compose file, its `.env`, and its commands in their order. */
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import {stringify} from 'yaml';
import type {Service} from '../stack.ts';

export interface Runbook {
	/**
	 * The commands below a heading of the page, in a folder that holds its compose file. Fails when one of them fails.
	 *
	 * @param words what a person puts in the place of a word of the page
	 * @returns what they print
	 */
	follow: (heading: string, words?: Record<string, string>) => Promise<string>;
	/** `docker compose …` in the same folder. */
	compose: (...args: string[]) => Promise<string>;
}

/** The text of the blocks of one language in a page. */
export const blocks = (text: string, language: string): string[] =>
	[...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, content = '']) => content);

/** The parts of a page by their headings. */
export function sectionsOf(page: string): Map<string, string> {
	const [, ...sections] = page.split(/^## /m);
	return new Map(sections.map(section => [section.slice(0, section.indexOf('\n')), section]));
}

/** Of a page by its name: the README, or a system's. */
export const pageOf = (name: string): string => (name === 'README' ? 'README.md' : `docs/systems/${name}.md`);

/**
 * Takes the stack of the page down after the test. What an operator would not have is said beside it: `services` is merged over the page's own, as
 * a `compose.override.yml`, with stand-ins for the images that cannot be had.
 */
export async function openRunbook(
	t: Pick<ExecutionContext, 'teardown'>,
	page: string,
	override: {services: Record<string, Service>; configs?: Record<string, unknown>},
): Promise<Runbook> {
	const file = pageOf(page);
	const text = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8');
	const sections = sectionsOf(text);
	const folder = join(await mkdtemp(join(tmpdir(), 'holdfast-runbook-')), page.toLowerCase());
	await mkdir(folder);
	await writeFile(join(folder, 'compose.yml'), blocks(text, 'yaml')[0] ?? '');
	const [variables] = blocks(text, 'dotenv');
	if (variables !== undefined) {
		await writeFile(join(folder, '.env'), variables);
	}

	await writeFile(join(folder, 'compose.override.yml'), stringify(override));
	const run = async (script: string) =>
		(await execa('bash', ['-euo', 'pipefail', '-c', script], {cwd: folder, all: true, stdin: 'ignore'})).all;
	const down = () => run('docker compose down --volumes --timeout 1 --remove-orphans');
	// A test that was killed may have left the same project.
	await down();
	t.teardown(async () => {
		await down();
		await rm(folder, {recursive: true, force: true});
	});
	return {
		async follow(heading, words = {}) {
			const section = sections.get(heading);
			const scripts = section === undefined ? [] : blocks(section, 'sh');
			if (scripts.length === 0) {
				throw new Error(`${file} has no commands below "${heading}"`);
			}

			return run(Object.entries(words).reduce((script, [word, said]) => script.replaceAll(word, said), scripts.join('\n')));
		},
		compose: async (...args) => (await execa('docker', ['compose', ...args], {cwd: folder, stdin: 'ignore'})).stdout,
	};
}
