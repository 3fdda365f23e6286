/** What patterns of `exclude` do that nobody can have meant. */
import {normalize} from 'node:path/posix';
import {output, succeed} from '../../../base/command.ts';
import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import {escapePattern} from '../../restic/argv.ts';
import {restoreFiles} from '../kept-names.ts';
import type {SourceContext} from '../source.ts';

/** A pattern as restic reads it, which takes what is double or leads nowhere out of it; from the root of the mount. Pure. */
export const fromRoot = (pattern: string): string => normalize(`/${pattern}`).replace(/(.)\/$/, '$1');

/** The same, of a mount that is in this folder. Pure. */
export const fromFolder = (folder: string, pattern: string): string => escapePattern(folder) + fromRoot(pattern);

/** Every name at the root matches it, by its form: `*`, `/**`, `**` and `*` behind it. Pure. */
export function leavesOutAll(pattern: string): boolean {
	const names = fromRoot(pattern)
		.split('/')
		.filter(part => part !== '' && part !== '**');
	return names.length === 0 || (names.length === 1 && /^\**\??\*+\??\**$/.test(names[0] ?? ''));
}

/** The names that a pattern with spaces in it may have been meant as. None: it has no spaces. Pure. */
export function namesWithin(pattern: string): string[] {
	const names = pattern.split(/\s+/);
	return names.length > 1 && names.every(name => name !== '' && !name.endsWith('\\')) ? names : [];
}

interface Excluded {
	name: string;
	/** Where it is in the worker. */
	path: string;
	/** The label's. */
	patterns: readonly string[];
}

/** For people: a pattern that names nothing, where names that are in it are there. */
export async function warningsOfSpaces(
	{name, path, patterns}: Excluded,
	{worker, signal}: Pick<SourceContext, 'worker' | 'signal'>,
): Promise<string[]> {
	const warnings: string[] = [];
	for (const pattern of patterns) {
		const names = namesWithin(pattern);
		if (names.length > 0 && !(await isThere(pattern)) && (await Promise.all(names.map(isThere))).includes(true)) {
			warnings.push(
				`\`${name}\`: ${quote(pattern)} leaves nothing out, as no file is called so; to leave out several, separate them by commas: \`${label('exclude')}: ${names.join(',')}\``,
			);
		}
	}

	return warnings;

	async function isThere(beside: string): Promise<boolean> {
		const argv = ['test', '-e', path + fromRoot(beside)] as const;
		return (await output(worker, {argv, signal})).exitCode === 0;
	}
}

/** Of a folder of which a backup took no file. @param spared patterns of what is left out for other reasons, absolute @returns one that the label left out; undefined: there is none */
export async function leftOut(
	{path, spared}: {path: string; spared: readonly string[]},
	{worker, signal}: Pick<SourceContext, 'worker' | 'signal'>,
): Promise<string | undefined> {
	const others = [...spared.flatMap(pattern => ['-o', '-path', pattern]), ...restoreFiles.patterns.flatMap(name => ['-o', '-name', name])];
	const prune = ['(', ...others.slice(1), ')', '-prune', '-o'];
	const argv = ['find', path, '-mindepth', '1', ...prune, '!', '-type', 'd', '-printf', '%P', '-quit'] as const;
	return (await succeed(worker, {argv, signal})) || undefined;
}
