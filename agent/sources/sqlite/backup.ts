/** A SQLite database: pinned by a session in the worker, copied with the online backup API, checked, then stored. */

import {fileURLToPath} from 'node:url';
import {z} from 'zod';
import {PinBlockedError, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {below} from '../../../docker/storage.ts';
import {mountPath, parseSource} from '../../repository/names.ts';
import type {PlannedSource} from '../kind.ts';
import {openSession, type Session} from '../session.ts';
import type {Source, SourceContext} from '../source.ts';
import {storeStaged} from '../staged.ts';

const answer = z.union([
	z.object({ready: z.object({journalMode: z.string(), pageSize: z.number(), sqliteVersion: z.string()})}),
	z.object({pinned: z.literal(true)}),
	z.object({blocked: z.string()}),
	z.object({stored: z.object({tables: z.number(), userVersion: z.number(), bytes: z.number()})}),
	z.object({error: z.string()}),
]);

const program = fileURLToPath(new URL('session.program.ts', import.meta.url));

/** The same program, at the same place, in every container of Holdfast's image. */
const sqliteSession = ['node', '--disable-warning=ExperimentalWarning', program] as const;

export function sqliteSource(planned: PlannedSource & {kind: 'sqlite'}, context: SourceContext, index: number): Source {
	const {name, path, mount} = planned;
	const {prefix} = parseSource(name);
	const root = mountPath(context.target, prefix, mount.path);
	const file = root + below(path, mount.path);
	const copy = `${context.staging}/${index}.sqlite`;
	let session: Session | undefined;
	let ready: Record<string, unknown> = {};

	const read = (line: string) => {
		const said = answer.parse(JSON.parse(line));
		if ('error' in said) {
			throw new RunError(`\`${path}\` ${said.error}`, {
				hint: said.error === 'does not exist' ? `correct the label \`${label('sqlite')}\`` : undefined,
			});
		}

		return said;
	};

	return {
		name,
		pinNeedsItsContainer: false,
		async prepare() {
			session = await openSession(context.worker, {argv: [...sqliteSession, root, file, copy], signal: context.signal});
			const said = read(await session.line(context.signal));
			ready = 'ready' in said ? said.ready : {};
		},
		async firstPass() {},
		async arm() {},
		async pin(moment) {
			const said = read((await session?.ask('pin', AbortSignal.any([context.signal, moment]))) ?? '{}');
			if ('blocked' in said) {
				throw new PinBlockedError(`\`${path}\` is locked by its app: ${said.blocked}`);
			}
		},
		async store() {
			const said = read((await session?.ask('store', context.signal)) ?? '{}');
			return storeStaged(context, name, copy, {path, ...ready, ...('stored' in said ? said.stored : {})});
		},
		async close() {
			await session?.close();
		},
	};
}
