/** What is needed when the host is gone. It leaves only to who asks for it; and until a person has said that it is kept elsewhere, people are told. */
import {createHash} from 'node:crypto';
import {z} from 'zod';
import type {Kept, Kit} from '../../base/shapes.ts';
import type {NamedRepository, Repositories} from '../repository/repositories.ts';
import {folderOf} from '../restic/restic.ts';
import type {State} from '../state/state.ts';

export interface Kits {
	/** With all that opens the repositories. */
	kit: () => Kit;
	/** A person has it elsewhere. @param by who says so */
	keepKit: (by: string) => Kept;
	/** Null: nobody has said so, or something of it has changed since. */
	kitKept: () => Kept | null;
}

interface Parts {
	state: Pick<State, 'notes' | 'saveNote' | 'agentId'>;
	repositories: Repositories;
	host: string;
	version: string;
}

const note = 'kit';

const noted = z.object({at: z.string(), by: z.string(), of: z.string()});

export function createKits({state, repositories: {primary, copies}, host, version}: Parts): Kits {
	const repositories = [primary, ...copies].map(describe);
	// What it would take to notice that a kept one opens nothing any more; it lies in the state, as what it is made of does.
	const of = createHash('sha256')
		.update(`${state.agentId} ${JSON.stringify(repositories)}`)
		.digest('hex');

	const kitKept = (): Kept | null => {
		const text = state.notes()[note];
		const known = text === undefined ? undefined : noted.safeParse(JSON.parse(text)).data;
		return known?.of === of ? {at: known.at, by: known.by} : null;
	};

	return {
		kitKept,
		kit: () => ({host, agent: state.agentId, version, madeAt: new Date().toISOString(), repositories, kept: kitKept()}),
		keepKit(by) {
			const kept = {at: new Date().toISOString(), by};
			state.saveNote(note, JSON.stringify({...kept, of}));
			return kept;
		},
	};
}

const describe = ({name, repository}: NamedRepository): Kit['repositories'][number] => ({
	name,
	isFolder: folderOf(repository) !== undefined,
	environment: {RESTIC_REPOSITORY: repository.location, ...repository.env},
	options: {...repository.options},
});
