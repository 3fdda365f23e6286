/**
 * The house: which folder imports from which, and what is wrong with it. As a program it prints the counts:
 *
 *     node test/support/start.mjs test/support/house.ts
 */
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, normalize} from 'node:path/posix';

/** A folder imports from those below it, never from those above or beside it. `import type` counts. */
export const order: ReadonlyArray<readonly string[]> = [
	['agent/main.ts'],
	['agent/daemon.ts'],
	['agent/cli/', 'bot/'],
	['agent/api/', 'agent/schedule/'],
	['agent/assemble.ts'],
	['agent/agent.ts'],
	['agent/recovery/', 'agent/metrics/', 'agent/doctor/', 'agent/notify/'],
	['agent/archive/', 'agent/browse/', 'agent/restore/', 'agent/copy/', 'agent/drill/'],
	['agent/backup/'],
	['agent/keep/'],
	['agent/overview/'],
	['agent/runs/'],
	['agent/state/'],
	['agent/plan/'],
	['agent/targets/'],
	['agent/sources/'],
	['agent/repository/'],
	['agent/config/'],
	['agent/restic/', 'docker/'],
	['base/'],
];

export const typeScriptIn = (...folders: readonly string[]): string[] =>
	folders.flatMap(folder =>
		readdirSync(folder, {recursive: true, encoding: 'utf8'})
			.filter(file => file.endsWith('.ts'))
			.map(file => `${folder}/${file}`),
	);

/** What runs in the image. */
export const files: readonly string[] = typeScriptIn('agent', 'base', 'bot', 'docker');

export interface Import {
	file: string;
	/** A package, or a file of ours from the top. */
	from: string;
}

const importLine =
	/^(?:import|export)\s(?:type\s)?[^'"]*?from\s+'(?<from>[^']+)'|^import\s+'(?<bare>[^']+)'|import\('(?<dynamic>[^']+)'\)/gm;

export const imports: readonly Import[] = files.flatMap(file =>
	[...readFileSync(file, 'utf8').matchAll(importLine)].map(({groups}) => {
		const from = groups?.from ?? groups?.bare ?? groups?.dynamic ?? '';
		return {file, from: from.startsWith('.') ? normalize(`${dirname(file)}/${from}`) : from};
	}),
);

const arrows = imports.filter(({from}) => from.endsWith('.ts'));

/** Where a file stands: its floor, from the roof down, and its room on that. */
function placeOf(file: string): {floor: number; room: string} {
	for (const [floor, rooms] of order.entries()) {
		const room = rooms.find(name => file === name || (name.endsWith('/') && file.startsWith(name)));
		if (room !== undefined) {
			return {floor, room};
		}
	}

	throw new Error(`\`${file}\` is in no folder of the order`);
}

/** Imports that run upwards, or from one room to another beside it. */
export const againstOrder = (): string[] =>
	arrows
		.filter(({file, from}) => {
			const [here, there] = [placeOf(file), placeOf(from)];
			return there.floor < here.floor || (there.floor === here.floor && there.room !== here.room);
		})
		.map(({file, from}) => `${file} → ${from}`);

/** Files that need each other, types included: each circle with all that are in it. */
export function circles(): string[][] {
	const targets = Map.groupBy(arrows, ({file}) => file);
	const reached = new Map(files.map(file => [file, reachedFrom(file, targets)]));
	const found = new Map<string, string[]>();
	for (const file of files) {
		const circle = [...(reached.get(file) ?? [])].filter(other => reached.get(other)?.has(file)).sort();
		if (circle.length > 0) {
			found.set(circle.join(' '), circle);
		}
	}

	return [...found.values()];
}

function reachedFrom(start: string, targets: ReadonlyMap<string, readonly Import[]>): Set<string> {
	const reached = new Set<string>();
	const left = [start];
	for (let file = left.pop(); file !== undefined; file = left.pop()) {
		for (const {from} of targets.get(file) ?? []) {
			if (!reached.has(from)) {
				reached.add(from);
				left.push(from);
			}
		}
	}

	return reached;
}

if (import.meta.main) {
	const folders = [...Map.groupBy(files, file => dirname(file))].map(([folder, own]) => ({folder, count: own.length}));
	console.log('Files in the fullest folders:');
	for (const {folder, count} of folders.sort((a, b) => b.count - a.count).slice(0, 8)) {
		console.log(`${String(count).padStart(6)}  ${folder}/`);
	}

	const [up, round] = [againstOrder(), circles()];
	console.log(`${String(files.filter(file => /^agent\/[^/]+$/.test(file)).length).padStart(6)}  agent/, its root`);
	console.log(`Files: ${files.length}. Imports among them: ${arrows.length}.`);
	console.log(`Circles, types included: ${round.length}${round.map(circle => `\n        ${circle.join(' · ')}`).join('')}`);
	console.log(`Imports against the order: ${up.length}${up.map(arrow => `\n        ${arrow}`).join('')}`);
}
