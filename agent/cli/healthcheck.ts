import {explain} from '../../base/errors.ts';
import type {Health} from '../api/wire.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {exit} from './exit.ts';

const limitMs = 5000;

export const addHealthcheck: AddCommand = (program, context) => {
	program
		.command('healthcheck')
		.description('exit 0 when the agent is well, 1 when it is not or does not say within 5 s')
		.addHelpText('after', '\nExample:\n  $ holdfast healthcheck')
		.action(async ({json}: JsonOption) => {
			const {out, err, end} = context;
			const health = await ask(context);
			if (json) {
				out.json(health);
			} else {
				for (const problem of health.problems) {
					err.line`${problem}`;
				}
			}

			end(health.healthy ? exit.done : exit.failed);
		});
};

async function ask({connect}: Context): Promise<Health> {
	try {
		return await (await connect()).health(AbortSignal.timeout(limitMs));
	} catch (error) {
		return {healthy: false, problems: [explain(error)]};
	}
}
