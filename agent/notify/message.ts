/** What is told of a run that ended. */
import type {FinishedEvent} from '../../base/events.ts';
import type {Operation, Outcome} from '../../base/results.ts';

export interface Message {
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
		error?: string;
	};
}

/** Longer errors are cut: a message is no log. */
const errorCharacters = 2000;

const cut = (text: string) => text.slice(0, errorCharacters);

type Told = NonNullable<Message['data']['sources']>[number];

const sourceOf = ({source, outcome, bytes, error}: Told): Told => ({
	source,
	outcome,
	...(bytes === undefined ? {} : {bytes}),
	...(error === undefined ? {} : {error: cut(error)}),
});

export function messageOf({run, target, operation, result, at}: FinishedEvent, host: string): Message {
	const {outcome, error} = result;
	return {
		type: 'holdfast.run.finished',
		timestamp: new Date(at).toISOString(),
		data: {
			host,
			run,
			target,
			operation,
			outcome,
			...('point' in result && typeof result.point === 'string' ? {point: result.point} : {}),
			...('durationSeconds' in result ? {durationSeconds: result.durationSeconds} : {}),
			...('quiesceSeconds' in result ? {outageSeconds: result.quiesceSeconds} : {}),
			...('outageSeconds' in result ? {outageSeconds: result.outageSeconds} : {}),
			...('sources' in result ? {sources: result.sources.map(sourceOf)} : {}),
			...(error === undefined ? {} : {error: cut(error)}),
		},
	};
}
