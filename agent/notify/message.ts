/** What is told of a run that ended. */
import type {FinishedEvent} from '../../base/events.ts';
import type {Finished, Operation, Outcome} from '../../base/results.ts';

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

function factsOf(finished: Finished): Pick<Message['data'], 'point' | 'durationSeconds' | 'outageSeconds' | 'sources'> {
	switch (finished.operation) {
		case 'backup':
		case 'import': {
			const {point, durationSeconds, quiesceSeconds, sources} = finished.result;
			return {...(point === null ? {} : {point}), durationSeconds, outageSeconds: quiesceSeconds, sources: sources.map(sourceOf)};
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

export function messageOf(event: FinishedEvent, host: string): Message {
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
		},
	};
}
