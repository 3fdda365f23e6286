/**
 * What a command of the container writes. After the moment it flows straight into the repository; what is made before or in the moment is laid
 * aside, because a try of the moment that is given up must not have stored anything.
 */
import {RunError} from '../../../base/errors.ts';
import {storeStream} from '../relay.ts';
import type {Among, Source, SourceContext, Stored} from '../source.ts';
import {storeStaged} from '../staged.ts';
import {streamContainer} from './container.ts';
import type {PlannedStream} from './plan.ts';
import {produce} from './produce.ts';

export function streamSource(planned: PlannedStream, context: SourceContext, {index}: Pick<Among, 'index'>): Source {
	const {name, stream, policy} = planned;
	const {worker, signal} = context;
	const {moment} = policy;
	const file = `${context.staging}/${index}.stream`;
	const container = streamContainer(context.engine, planned.container, {stream, user: policy.user});
	const details = {moment, isChecked: policy.check !== undefined};
	let limit = Number.POSITIVE_INFINITY;

	/** How large it becomes is known only when it is there: as large as the last time, and no larger than there is room. */
	const claim = async () => {
		if (moment !== 'after') {
			limit = (await context.room?.claim(name, context.previous(name)?.bytes ?? 0, 'in the moment')) ?? limit;
		}
	};

	const layAside = async (until: AbortSignal) => {
		await produce({planned, container, worker, file, limit, signal: AbortSignal.any([signal, until])});
	};

	return {
		name,
		pinNeedsItsContainer: true,
		pinStores: false,
		async prepare() {
			const {state} = await context.engine.inspect(planned.container.id);
			if (state !== 'running') {
				throw new RunError(`container \`${planned.container.name}\` is ${state}, so nothing can be run in it`, {
					hint: `start it: \`docker start ${planned.container.name}\``,
				});
			}

			await container.endLeft();
			await claim();
		},
		async firstPass() {
			if (moment === 'before') {
				await layAside(signal);
			}
		},
		arm: claim,
		async pin(inside) {
			if (moment === 'inside') {
				await layAside(inside);
			}
		},
		async store(): Promise<Stored> {
			if (moment !== 'after') {
				return storeStaged(context, name, file, details);
			}

			const saved = await storeStream(context, {
				source: name,
				fifo: file,
				magic: '',
				async produce(either) {
					await produce({planned, container, worker, file, limit, signal: either});
				},
			});
			return {snapshot: saved.snapshot, bytes: saved.bytes, addedBytes: saved.addedBytes, details};
		},
		async close() {},
	};
}
