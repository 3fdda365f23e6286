/** The streams of a service that are backed up. Pure. */
import {canAnswer} from '../answering.ts';
import type {Scope} from '../kind.ts';
import type {PlannedSource} from '../source.ts';
import type {StreamPolicies, StreamPolicy} from './labels.ts';

export interface PlannedStream extends PlannedSource {
	kind: 'stream';
	/** As its labels call it. */
	stream: string;
	policy: StreamPolicy;
}

export function streamSources(scope: Scope<StreamPolicies, unknown>): PlannedStream[] {
	const {container, policy, group, prefix, remarks} = scope;
	const planned = [...policy].map(([stream, each]) => ({
		name: `${group}stream:${stream}`,
		container,
		kind: 'stream' as const,
		stream,
		policy: each,
	}));
	if (
		planned.length === 0 ||
		!canAnswer(
			scope,
			planned.map(({name}) => name),
		)
	) {
		return [];
	}

	for (const {stream, policy: each} of planned.filter(({policy: {restore}}) => restore === undefined)) {
		remarks.note(
			`\`stream:${stream}\` can be taken out of a point (\`holdfast dump\`), and not restored: no \`${prefix}stream.${stream}.restore\` says what takes the output of \`${each.argv[0]}\` back`,
		);
	}

	for (const {stream, policy: each} of planned.filter(({policy: {argv}}) => argv.some(isPipe))) {
		remarks.note(
			`\`stream:${stream}\` is a pipe, which exits as its last command does, whatever became of the first: \`${each.argv[0]}\` should say \`set -o pipefail\`, or \`${prefix}stream.${stream}.check\` judge it`,
		);
	}

	return planned;
}

/** For a shell; one that is known to exit 0 only when all of it did is none. */
const isPipe = (word: string): boolean => /(?<!\|)\|(?!\|)/.test(word) && !/pipefail/.test(word);

const whenMade = {before: 'before it, while all run', after: 'after it, when all run again'};

/** What is not made in the moment is of another one than files and databases. */
export function strainOfStreams(planned: readonly PlannedStream[], {isMoment}: {isMoment: boolean}): {note?: string} {
	const beside = planned.filter(({policy: {moment}}) => moment !== 'inside');
	return isMoment && beside.length > 0
		? {
				note: `not of the moment: ${beside
					.map(
						({stream, policy: {moment}}) =>
							`\`stream:${stream}\` is made ${moment === 'before' ? whenMade.before : whenMade.after} (\`stream.${stream}.moment\`)`,
					)
					.join('; ')}`,
			}
		: {};
}
