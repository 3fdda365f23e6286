/** Anything that a command of the container can write as a stream. */
import {output} from '../../../base/command.ts';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {staging} from '../../../docker/worker.ts';
import type {Kind} from '../kind.ts';
import {describeSafety, forgetSafety} from '../safety.ts';
import {streamSource} from './backup.ts';
import {streamDrilling} from './drill.ts';
import {type StreamPolicies, streamLabels, streamPolicies} from './labels.ts';
import {type PlannedStream, strainOfStreams, streamSources} from './plan.ts';
import {servers} from './recipes.ts';
import {obstaclesToStream, type ReplacedStream, replacedStream, rollBackStream, streamRestoring} from './restore.ts';

export const stream: Kind<StreamPolicies, unknown, PlannedStream, ReplacedStream> = {
	kind: 'stream',
	title: 'stream',
	// It may be anything, and what is there is kept in a repository.
	isDatabase: false,
	isServed: true,
	isTree: false,
	writesToMount: false,
	rank: 4,
	servers,
	labels: {},
	named: streamLabels,
	policy: (_, named) => streamPolicies(named),
	asks: policies => policies.size > 0,
	plan: streamSources,
	// Its command runs in it.
	stillness: () => 'forbidden',
	strain: (planned, _, how) => strainOfStreams(planned, how),
	view: () => ({}),
	backup: streamSource,
	place({source, name}, {container, policy: policies}) {
		const policy = policies.get(name);
		return policy?.restore === undefined
			? `\`${source}\` cannot be put back: no label \`stream.${name}.restore\` of container \`${container.name}\` says what takes it; name the others with --only, and take it out with \`holdfast dump\``
			: {name: source, container, kind: 'stream', stream: name, policy};
	},
	check,
	// It is whole there before anything is touched.
	writing: ({stored}) => ({folder: staging, atMost: stored.bytes}),
	restore: streamRestoring,
	replaced: replacedStream,
	rollBack: rollBackStream,
	obstacles: obstaclesToStream,
	release: forgetSafety,
	describe: old => (old.wasEmpty ? 'an empty stream' : describeSafety(old)),
	drill: streamDrilling,
};

/** What could not be taken back would be missed only when what was there is gone: nor could that be played back. */
async function check({container, stream: name, policy}: PlannedStream, {engine}: {engine: Engine}): Promise<{problems: string[]}> {
	const {state} = await engine.inspect(container.id);
	if (state !== 'running') {
		return {
			problems: [`container \`${container.name}\`, which takes \`stream:${name}\` back, is ${state}: \`docker start ${container.name}\``],
		};
	}

	const program = policy.restore?.[0] ?? '';
	const {exitCode} = await output(inContainer(engine, container.id), {
		argv: ['sh', '-c', 'command -v -- "$1" >/dev/null || exit 7', 'sh', program],
		...(policy.user === undefined ? {} : {user: policy.user}),
	});
	return {
		problems: exitCode === 7 ? [`container \`${container.name}\` has no program \`${program}\`, which takes \`stream:${name}\` back`] : [],
	};
}
