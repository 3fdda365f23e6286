/** What was typed after `/backup` and `/restore`. Pure. */
import {nearest} from '../base/reading/nearest.ts';

export type Spoken =
	| {verb: 'overview' | 'check' | 'doctor' | 'help'}
	| {verb: 'now' | 'points' | 'drill' | 'export'; target: string}
	| {verb: 'history'; target: string | undefined}
	| {verb: 'cancel' | 'undo' | 'finish'; run: string}
	| {verb: 'restore'; target: string | undefined; point: string | undefined}
	| {verb: 'unknown'; complaint: string};

const usages: Readonly<Record<string, string>> = {
	now: 'now TARGET, or now all',
	points: 'points TARGET',
	history: 'history [TARGET]',
	drill: 'drill TARGET',
	check: 'check',
	export: 'export TARGET',
	cancel: 'cancel RUN',
	doctor: 'doctor',
	help: 'help',
};

/** Slack sends these three written out. */
const unescaped = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const wordsOf = (text: string): string[] => unescaped(text).trim().split(/\s+/).filter(Boolean);

const complain = (complaint: string): Spoken => ({verb: 'unknown', complaint});

export function parseBackup(text: string): Spoken {
	const [first, subject, ...more] = wordsOf(text);
	if (first === undefined) {
		return {verb: 'overview'};
	}

	const verb = first.toLowerCase();
	const usage = usages[verb];
	if (usage === undefined) {
		const meant = nearest(verb, Object.keys(usages));
		return complain(`/backup does not know ${first}${meant === undefined ? '; /backup help lists its words' : `; did you mean ${meant}?`}`);
	}

	if (more.length > 0 || (subject !== undefined && !usage.includes(' '))) {
		return complain(`too many words: /backup ${usage}`);
	}

	if (verb === 'check' || verb === 'doctor' || verb === 'help') {
		return {verb};
	}

	if (verb === 'history') {
		return {verb, target: subject};
	}

	if (subject === undefined) {
		return complain(`something is missing: /backup ${usage}`);
	}

	return verb === 'cancel' ? {verb, run: subject} : {verb: verb as 'now' | 'points' | 'drill' | 'export', target: subject};
}

export function parseRestore(text: string): Spoken {
	const [first, second, ...more] = wordsOf(text);
	if (more.length > 0) {
		return complain('too many words: /restore [TARGET] [POINT], /restore undo RUN, /restore finish RUN');
	}

	if (first === 'help' && second === undefined) {
		return {verb: 'help'};
	}

	if (first === 'undo' || first === 'finish') {
		return second === undefined ? complain(`something is missing: /restore ${first} RUN`) : {verb: first, run: second};
	}

	return {verb: 'restore', target: first, point: second};
}
