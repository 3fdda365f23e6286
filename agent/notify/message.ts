/** What is told: of a run that ended, or of something else that a person should know. */
import type {FinishedEvent} from '../../base/events.ts';
import type {Notice} from '../../base/notices.ts';
import type {Finished, Operation, Outcome} from '../../base/results.ts';

export type Message = RunMessage | NoticeMessage;

export interface NoticeMessage {
	type: 'holdfast.notice';
	/** ISO 8601. */
	timestamp: string;
	data: {
		/** Which Holdfast. */
		host: string;
		target: string;
		/** `gone`: a target that was backed up is not found any more; `back`: it is there again; `shrunk`: its newest point is much smaller than those before; `kept`: what a restore replaced cannot be let go; `resting`: some or all of it is not backed up, because what would have to answer was stopped; `missed`: what was due could not even begin; `left`: what an agent that was killed had quiesced could not be put back. */
		kind: Notice['kind'];
		message: string;
		hint?: string;
	};
}

export interface RunMessage {
	type: 'holdfast.run.finished';
	/** When it ended, ISO 8601. */
	timestamp: string;
	data: {
		/** Which Holdfast. */
		host: string;
		run: string;
		target: string;
		operation: Operation;
		outcome: Outcome;
		/** The restore point that was made or used, where there is one. */
		point?: string;
		durationSeconds?: number;
		/** How long something stood still. */
		outageSeconds?: number;
		sources?: Array<{source: string; outcome: string; bytes?: number | undefined; error?: string | undefined}>;
		warnings?: string[];
		/** What the point lacks, because what would have to answer was stopped. */
		absent?: Array<{source: string; why: string}>;
		error?: string;
	};
}

/** Longer errors are cut: a message is no log. */
const errorCharacters = 2000;

const cut = (text: string) => text.slice(0, errorCharacters);

type Told = NonNullable<RunMessage['data']['sources']>[number];

const sourceOf = ({source, outcome, bytes, error}: Told): Told => ({
	source,
	outcome,
	...(bytes === undefined ? {} : {bytes}),
	...(error === undefined ? {} : {error: cut(error)}),
});

function factsOf(finished: Finished): Pick<RunMessage['data'], 'point' | 'durationSeconds' | 'outageSeconds' | 'sources' | 'warnings'> {
	switch (finished.operation) {
		case 'backup':
		case 'import': {
			const {point, durationSeconds, quiesceSeconds, sources, warnings} = finished.result;
			return {
				...(point === null ? {} : {point}),
				durationSeconds,
				outageSeconds: quiesceSeconds,
				sources: sources.map(sourceOf),
				...(warnings === undefined ? {} : {warnings: warnings.map(cut)}),
			};
		}
		case 'restore':
			return {point: finished.result.point, outageSeconds: finished.result.outageSeconds};
		case 'drill': {
			const {point, durationSeconds, sources} = finished.result;
			return {point, durationSeconds, sources: sources.map(sourceOf)};
		}
		default:
			return {durationSeconds: finished.result.durationSeconds};
	}
}

export function messageOf(event: FinishedEvent, host: string): RunMessage {
	const {run, target, operation, at} = event;
	const {outcome, error} = event.result;
	return {
		type: 'holdfast.run.finished',
		timestamp: new Date(at).toISOString(),
		data: {
			host,
			run,
			target,
			operation,
			outcome,
			...factsOf(event),
			...(error === undefined ? {} : {error: cut(error)}),
			...('absent' in event.result && event.result.absent !== undefined ? {absent: event.result.absent} : {}),
		},
	};
}

export const noticeMessage = ({kind, target, text, hint, at}: Notice, host: string): NoticeMessage => ({
	type: 'holdfast.notice',
	timestamp: new Date(at).toISOString(),
	data: {host, target, kind, message: cut(text), ...(hint === undefined ? {} : {hint})},
});

/** For the log, and to tell a message from every other. */
export const nameOf = ({type, data, timestamp}: Message): {subject: string; id: string} =>
	type === 'holdfast.notice'
		? {subject: `that \`${data.target}\` is ${data.kind}`, id: `${data.kind}-${Date.parse(timestamp)}-${data.target}`}
		: {subject: `how run ${data.run} of \`${data.target}\` ended`, id: data.run};

/** One line: a name must not begin another, nor a header. */
const line = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');

/** For people: what a message is about, in one line. */
export const titleOf = ({type, data}: Message): string =>
	line(
		type === 'holdfast.notice'
			? `${data.target}: ${noticeWords[data.kind]} (${data.host})`
			: `${data.operation} of ${data.target}: ${data.outcome} (${data.host})`,
	);

const noticeWords = {
	gone: 'not found any more',
	back: 'there again',
	shrunk: 'much smaller than before',
	resting: 'not backed up whole',
	kept: 'what a restore replaced cannot be let go',
	missed: 'what was due could not be done',
	left: 'not put back after the agent was killed',
};

/** For people: all that it says. */
export const lines = (message: Message): string[] =>
	(message.type === 'holdfast.notice'
		? [message.data.message, ...(message.data.hint === undefined ? [] : ['', message.data.hint])]
		: linesOfRun(message)
	).map(line);

function linesOfRun({timestamp, data}: RunMessage): string[] {
	const {
		operation,
		target,
		outcome,
		host,
		run,
		point,
		durationSeconds,
		outageSeconds,
		sources = [],
		warnings = [],
		absent = [],
		error,
	} = data;
	return [
		`${operation} of ${target} on ${host}: ${outcome}`,
		'',
		`run       ${run}`,
		`ended     ${timestamp}`,
		...(point === undefined ? [] : [`point     ${point}`]),
		...(durationSeconds === undefined ? [] : [`took      ${durationSeconds.toFixed(1)} s`]),
		...(outageSeconds === undefined ? [] : [`outage    ${outageSeconds.toFixed(1)} s`]),
		...(error === undefined ? [] : ['', `error: ${error}`]),
		...absent.flatMap(({source, why}) => ['', `not in the point: ${source}: ${why}`]),
		...warnings.flatMap(warning => ['', `warning: ${warning}`]),
		...(sources.length === 0
			? []
			: ['', ...sources.map(({source, outcome, bytes}) => `${source}: ${outcome}${bytes === undefined ? '' : `, ${bytes} bytes`}`)]),
		'',
		`More: holdfast runs ${run}`,
	];
}
