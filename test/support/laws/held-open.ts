/** A window that stays open for seconds, and a run that has come to a step: for whatever is to happen just then. */
import {ensureImage} from '../images.ts';
import {connect} from '../stack/connect.ts';
import type {Service} from '../stack.ts';
import {until} from '../until.ts';
import type {Scene} from './kills.ts';

/** `writer` is stopped for its backup, and with it `stubborn`, which ends only when the engine kills it: 6 s later. */
export async function heldOpen(labels: Readonly<Record<string, string>> = {}): Promise<Record<'writer' | 'stubborn', Service>> {
	const image = await ensureImage('holdfast-test/app:latest');
	return {
		writer: {
			image,
			command: ['write-sqlite', '/data/app.db'],
			volumes: ['data:/data'],
			labels: {
				'holdfast.enable': 'true',
				'holdfast.sqlite': '/data/app.db',
				'holdfast.quiesce': 'stop',
				'holdfast.quiesce.with': 'stubborn',
				...labels,
			},
		},
		stubborn: {image, command: ['ignore-sigterm'], stop_grace_period: '6s'},
	};
}

/** An application may take its time to make the database that its label names. */
export const untilPlanned = async ({stack, target}: Pick<Scene, 'stack' | 'target'>): Promise<unknown> =>
	until('all that the target names to be there', async () => {
		const {exitCode, stdout} = await stack.holdfast('plan', target, '--json');
		return exitCode === 0 && !stdout.includes('does not exist');
	});

/** Starts a run and waits until it comes to a step (of a subject that is named so). @returns its id */
export async function runUntil(scene: Pick<Scene, 'stack' | 'token' | 'target'>, step: string, subject = ''): Promise<string> {
	await untilPlanned(scene);
	const agent = await connect(scene);
	const run = await agent.start(scene.target);
	for await (const event of agent.follow(run)) {
		if (event.type === 'step' && event.step === step && (event.subject ?? '').includes(subject)) {
			return run;
		}
	}

	throw new Error(`run ${run} ended before ${step} ${subject}: ${JSON.stringify(await agent.result(run))}`);
}
