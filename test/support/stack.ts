/** A Compose project of a test's own with Holdfast's real image beside it, and the tools to look at both without Holdfast. */
import type {ExecutionContext} from 'ava';
import {type Agent, reachAgent} from './stack/agent.ts';
import {makeKeyCheap} from './stack/cheap-key.ts';
import {type Changes, createProject, type Project, type ProjectOptions} from './stack/project.ts';

export type {Output} from './stack/agent.ts';
export {hardlyEver, type Service} from './stack/project.ts';

export interface StackOptions extends ProjectOptions {
	/** Start only what is needed; default: all. */
	up?: readonly string[];
	/** Folders of the host whose content volumes begin with. */
	contents?: Record<string, string>;
	/** Leaves the embedded repository's key as restic made it, where time is measured or the whole is proven; else it is made quick to open. */
	slowKey?: true;
}

export interface Stack extends Pick<Project, 'project' | 'docker' | 'compose' | 'container' | 'down'>, Agent {
	/** Whether the host reaches the stack's networks. */
	isNear: boolean;
	/** Runs a command in a service's container; fails when it fails. */
	exec: (service: string, ...argv: string[]) => Promise<string>;
	/** Recreates Holdfast's container with other settings than those it began with; the rest stays as it is. Does not wait. */
	change: (holdfast: Changes) => Promise<void>;
	state: (service: string) => Promise<string>;
}

/** Brings a stack up and takes it down after the test, whatever its outcome. */
export async function startStack(t: Pick<ExecutionContext, 'teardown'>, options: StackOptions): Promise<Stack> {
	const made = await createProject(options);
	const {project, host, docker, compose, container, write, down} = made;
	t.teardown(down);
	const agent = reachAgent(made);
	await fill(made, options.contents ?? {});
	await compose('up', '--detach', '--quiet-pull', ...(options.up ?? []));
	await agent.ready();
	if (!options.slowKey) {
		await makeKeyCheap(container('holdfast'), host === undefined ? {} : {host});
	}

	return {
		...agent,
		project,
		docker,
		compose,
		container,
		down,
		isNear: host === undefined,
		exec: async (service, ...argv) => docker(['exec', container(service), ...argv], {timeout: 600_000}),
		async change(holdfast) {
			await write(holdfast);
			await compose('up', '--detach', '--no-deps', 'holdfast');
		},
		state: async service => docker(['inspect', '--format', '{{.State.Status}}', container(service)]),
	};
}

/** By volume: the folder of the host whose content it begins with. */
async function fill({project, compose}: Project, contents: Readonly<Record<string, string>>): Promise<void> {
	for (const [volume, content] of Object.entries(contents)) {
		await compose('up', '--no-start', '--quiet-pull');
		await compose(
			'run',
			'--rm',
			'--no-deps',
			'--entrypoint=cp',
			`--volume=${content}:/content:ro`,
			`--volume=${project}_${volume}:/volume`,
			'holdfast',
			'-a',
			'/content/.',
			'/volume',
		);
	}
}
