/** Content that lies whole and checked in the staging folder becomes a snapshot. */
import {agentTag, runTag, sourcePath, sourceTag, targetTag} from '../repository/names.ts';
import type {SourceContext, Stored} from './source.ts';

/** What every snapshot of a source carries. */
export function snapshotOptions(context: SourceContext, source: string) {
	const {run, target, host, agent, time, signal, tell, tag = 'holdfast'} = context;
	return {
		tags: [tag, agentTag(agent), runTag(run), targetTag(target), sourceTag(source)],
		host,
		time: time(),
		signal,
		onProgress: ({bytes, totalBytes}: {bytes: number; totalBytes?: number | undefined}) =>
			tell({type: 'progress', source, bytes, totalBytes}),
	};
}

/** The staging folder never holds more than it must; and no program is started in the worker for that alone. */
const handOver = (file: string) => ['sh', '-c', 'cat -- "$1" && exec rm -f -- "$1"', 'sh', file] as const;

/** Stores a staged file and removes it. */
export async function storeStaged(context: SourceContext, source: string, file: string, details: Record<string, unknown>): Promise<Stored> {
	const saved = await context.restic.backupStream({
		...snapshotOptions(context, source),
		filename: sourcePath(context.target, source),
		command: handOver(file),
	});
	return {snapshot: saved.snapshot, bytes: saved.bytes, addedBytes: saved.addedBytes, details};
}
