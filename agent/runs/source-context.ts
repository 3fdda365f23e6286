/** What every source works with in a run, whatever the run does with it. */
import {once, single} from '../../base/once.ts';
import {staging, type Worker, type Workforce} from '../../docker/worker.ts';
import type {SourceContext} from '../sources/source.ts';
import type {Workshop} from './workshop.ts';

type Given = Pick<SourceContext, 'run' | 'target' | 'restic' | 'time' | 'signal' | 'tell'>;

/** Workers beside the repository's are made on first use. */
export const sourceContext = (
	{engine, host, agentId}: Pick<Workshop, 'engine' | 'host' | 'agentId'>,
	workforce: Pick<Workforce, 'dump' | 'client'>,
	worker: Worker,
	given: Given & Pick<Partial<SourceContext>, 'previous'>,
): SourceContext => ({
	engine,
	host,
	agent: agentId,
	worker: worker.run,
	dumpWorker: once(workforce.dump),
	clientWorker: single(workforce.client),
	staging,
	previous: () => undefined,
	...given,
});
