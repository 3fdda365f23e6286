/** One message a run: what it does, and how it ended. */

import type {ProgressEvent, RunEvent} from '../../base/events.ts';
import {type Finished, type Operation, type RunResult, resultOf} from '../../base/results.ts';
import {duration, size} from '../../base/units.ts';
import {type Block, type Button, buttons, context, type Message, message, section} from '../blocks.ts';
import {code, codeBlock, date} from '../text.ts';
import {asker, markOf} from './lists.ts';
import type {Sign} from './overview.ts';

export interface RunStory {
	run: string;
	host: string;
	target: string;
	label: string;
	operation: Operation;
	trigger: string;
	/** Who approved, beside the one who asked. */
	approvers: readonly string[];
	step: string;
	progress: {event: ProgressEvent; first: ProgressEvent} | undefined;
	warnings: readonly string[];
	/** What happened when, for the thread. */
	steps: ReadonlyArray<{at: number; step: string}>;
	finished: Finished | undefined;
	/** What somebody did with it since: then its buttons are gone. */
	settled: string | undefined;
}

export const storyOf = (start: Pick<RunStory, 'run' | 'host' | 'target' | 'label' | 'operation' | 'trigger' | 'approvers'>): RunStory => ({
	...start,
	step: 'queued',
	progress: undefined,
	warnings: [],
	steps: [],
	finished: undefined,
	settled: undefined,
});

const mostSteps = 200;

/** The story as it goes on. Pure. */
export function told(story: RunStory, event: RunEvent): RunStory {
	switch (event.type) {
		case 'queued':
			return {...story, operation: event.operation, trigger: event.trigger};
		case 'step': {
			const step = event.subject === undefined ? event.step : `${event.step} ${event.subject}`;
			return {...story, step, progress: undefined, steps: [...story.steps, {at: event.at, step}].slice(-mostSteps)};
		}
		case 'progress': {
			const first = story.progress?.first;
			const goesOn = first?.source === event.source && first.bytes <= event.bytes;
			return {...story, progress: {event, first: goesOn ? first : event}};
		}
		case 'warning':
			return {...story, warnings: [...story.warnings, event.message].slice(-20)};
		case 'finished':
			return {...story, operation: event.operation, finished: event};
	}
}

export const runMessage = (story: RunStory, sign: Sign): Message =>
	story.finished === undefined ? underWay(story, sign) : ended(story, story.finished, sign);

const title = ({operation, label}: RunStory): string => `*${operation}* of ${code(label)}`;

function underWay(story: RunStory, sign: Sign): Message {
	const verb = story.operation === 'restore' ? 'cancel-restore' : 'cancel';
	return message(`⏳ ${story.operation} of ${code(story.label)}: ${code(story.step)}`, [
		section(`⏳ ${title(story)}\n${code(story.step)}${story.progress === undefined ? '' : `\n${bar(story.progress)}`}`),
		...warningsOf(story),
		footer(story),
		...buttons([
			{
				verb,
				text: 'Cancel',
				value: sign({verb, host: story.host, target: story.target, run: story.run}),
				confirm: {title: 'Stop this run?', text: 'What it holds still is put back.', yes: 'Stop it'},
			},
		]),
	]);
}

function bar({event, first}: NonNullable<RunStory['progress']>): string {
	const {bytes, totalBytes, source} = event;
	const seconds = (event.at - first.at) / 1000;
	const speed = seconds < 0.5 ? 0 : (event.bytes - first.bytes) / seconds;
	const share = totalBytes === undefined || totalBytes <= 0 ? undefined : Math.min(1, bytes / totalBytes);
	const parts = [
		share === undefined ? size(bytes) : `${Math.floor(share * 100)} % · ${size(bytes)} of ${size(totalBytes ?? 0)}`,
		speed < 1 ? undefined : `${size(speed)}/s`,
		speed < 1 || totalBytes === undefined || totalBytes <= bytes ? undefined : `${duration(Math.ceil((totalBytes - bytes) / speed))} left`,
		code(source, 100),
	].filter(part => part !== undefined);
	const filled = Math.round((share ?? 0) * 20);
	return `${share === undefined ? '' : `${'▓'.repeat(filled)}${'░'.repeat(20 - filled)} `}${parts.join(' · ')}`;
}

const warningsOf = ({warnings}: RunStory): Block[] =>
	warnings.length === 0
		? []
		: [
				section(
					warnings
						.slice(-5)
						.map(warning => `⚠️ ${code(warning, 500)}`)
						.join('\n'),
				),
			];

function footer({run, trigger, approvers}: RunStory): Block {
	const approved = approvers.length === 0 ? '' : ` · approved by ${approvers.map(user => asker(`slack:${user}`)).join(', ')}`;
	return context(`asked by ${asker(trigger)}${approved} · run ${code(run)}`);
}

function ended(story: RunStory, finished: Finished, sign: Sign): Message {
	const {result} = finished;
	const {outcome} = result;
	const failed = outcome === 'success' ? [] : [section(failureText(story, result))];
	return message(`${markOf(outcome)} ${story.operation} of ${code(story.label)}: ${outcome}`, [
		section(`${markOf(outcome)} ${title(story)}: ${outcome}\n${factsOf(finished)}`),
		...failed,
		...warningsOf(story),
		...(story.settled === undefined ? [] : [context(story.settled)]),
		footer(story),
		...buttons(story.settled === undefined ? nextSteps(story, finished, sign) : [details(story, sign)]),
	]);
}

/** Target, step, cause and next step. */
export function failureText(
	{label, step}: Pick<RunStory, 'label' | 'step'>,
	{outcome, error}: Pick<RunResult, 'outcome' | 'error'>,
): string {
	const {cause, next} = causeOf(error ?? 'it does not say why');
	return `${code(label)} ${outcome} at step ${code(step)}\n${codeBlock(cause, 2000)}${next === undefined ? '' : `\nNext: ${code(next, 500)}`}`;
}

/** `explain` puts the next step in brackets at the end. */
function causeOf(error: string): {cause: string; next: string | undefined} {
	const [, cause, next] = /^(.*) \(([^()]*(?:\([^()]*\)[^()]*)*)\)$/s.exec(error) ?? [];
	return cause === undefined ? {cause: error, next: undefined} : {cause, next};
}

function factsOf(finished: Finished): string {
	switch (finished.operation) {
		case 'backup':
		case 'import': {
			const {quiesceSeconds, sources, durationSeconds, point} = finished.result;
			const total = (field: 'bytes' | 'addedBytes') => sources.reduce((sum, source) => sum + source[field], 0);
			return facts(
				`outage ${duration(quiesceSeconds)}`,
				sources.length > 0 && `size ${size(total('bytes'))}`,
				sources.length > 0 && `${size(total('addedBytes'))} added`,
				`took ${duration(durationSeconds)}`,
				point !== null && `point ${code(point)}`,
			);
		}
		case 'restore':
			return facts(`outage ${duration(finished.result.outageSeconds)}`, `point ${code(finished.result.point)}`);
		case 'drill':
			return facts(`took ${duration(finished.result.durationSeconds)}`, `point ${code(finished.result.point)}`);
		default:
			return facts(`took ${duration(finished.result.durationSeconds)}`);
	}
}

const facts = (...known: ReadonlyArray<string | false>): string => known.filter(fact => fact !== false).join(' · ');

const details = ({host, target, run}: RunStory, sign: Sign): Button => ({
	verb: 'details',
	text: 'Details',
	value: sign({verb: 'details', host, target, run}),
});

function nextSteps(story: RunStory, finished: Finished, sign: Sign): Button[] {
	const {host, target, run, operation} = story;
	const order = (verb: string) => sign({verb, host, target, run, message: `run ${run}`});
	const kept = (resultOf('restore', finished)?.replaced ?? []).length > 0;
	const settle: Button[] = kept
		? [
				{
					verb: 'undo',
					text: 'Undo',
					style: 'danger',
					value: order('undo'),
					confirm: {title: 'Put back what was there before?', text: 'What was written since the restore is lost.', yes: 'Undo it'},
				},
				{
					verb: 'finish',
					text: 'Finish',
					value: order('finish'),
					confirm: {title: 'Let go of what was replaced?', text: 'The restore cannot be undone afterwards.', yes: 'Let go'},
				},
			]
		: [];
	const again: Button[] =
		finished.result.outcome !== 'success' && (operation === 'backup' || operation === 'drill')
			? [{verb: operation, text: 'Retry', style: 'primary', value: sign({verb: operation, host, target})}]
			: [];
	return [...settle, ...again, details(story, sign)];
}

function sourcesOf(
	finished: Finished | undefined,
): ReadonlyArray<{source: string; outcome: string; bytes?: number; error?: string | undefined}> {
	switch (finished?.operation) {
		case 'backup':
		case 'import':
		case 'drill':
			return finished.result.sources;
		default:
			return [];
	}
}

/** For the thread: each step with its time, each source, each warning. */
export function threadMessage(story: RunStory): Message {
	const [first] = story.steps;
	const lines = story.steps.map(({at, step}) => `${(((at - (first?.at ?? at)) / 1000).toFixed(1)).padStart(8)} s  ${step}`);
	const sources = sourcesOf(story.finished);
	const replaced = resultOf('restore', story.finished)?.replaced ?? [];
	return message('Details', [
		section(`*Steps*\n${codeBlock(lines.join('\n') || 'none', 2800)}`),
		...(sources.length === 0
			? []
			: [
					section(
						`*Sources*\n${codeBlock(sources.map(({source, outcome, bytes, error}) => [source, outcome, bytes === undefined ? undefined : size(bytes), error].filter(Boolean).join('  ')).join('\n'), 2800)}`,
					),
				]),
		...(replaced.length === 0 ? [] : [section(`*Replaced, and kept*\n${codeBlock(replaced.join('\n'), 2800)}`)]),
		...(story.warnings.length === 0 ? [] : [section(`*Warnings*\n${codeBlock(story.warnings.join('\n'), 2800)}`)]),
		context(`ended ${date(Date.now())}`),
	]);
}
