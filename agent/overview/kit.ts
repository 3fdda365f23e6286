/** What is needed when the host is gone. It leaves only to who asks for it; and until a person has said that it is kept elsewhere, people are told. */
import {createHash} from 'node:crypto';
import * as z from 'zod';
import type {Kept, Kit} from '../../base/shapes/kit.ts';
import type {Mount} from '../../docker/container.ts';
import {below, mountOf} from '../../docker/storage.ts';
import type {NamedRepository, Repositories} from '../repository/repositories.ts';
import {folderOf} from '../restic/repository.ts';
import type {State} from '../state/state.ts';
import {kitFiles, lastingOf} from './kit-files.ts';

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
	/** Of the user that restic runs as. */
	home: string;
	/** The agent's own. */
	mounts: readonly Mount[];
}

const note = 'kit';

const noted = z.object({at: z.string(), by: z.string(), of: z.string()});

export function createKits({state, repositories: {primary, copies}, host, version, home, mounts}: Parts): Kits {
	const described = () => [primary, ...copies].map(each => describe(each, {home, mounts}));
	/** What it takes to notice that a kept one opens nothing any more; it lies in the state, as what it is made of does. */
	const digest = (): string => {
		const hash = createHash('sha256');
		for (const {files, heldIn: _heldIn, ...repository} of described()) {
			hash.update(`${state.agentId} ${JSON.stringify(repository)} ${lastingOf(files)}`);
		}

		return hash.digest('hex');
	};

	const kitKept = (): Kept | null => {
		const text = state.notes()[note];
		const known = text === undefined ? undefined : noted.safeParse(JSON.parse(text)).data;
		return known !== undefined && known.of === digest() ? {at: known.at, by: known.by} : null;
	};

	return {
		kitKept,
		kit: () => ({host, agent: state.agentId, version, madeAt: new Date().toISOString(), repositories: described(), kept: kitKept()}),
		keepKit(by) {
			const kept = {at: new Date().toISOString(), by};
			state.saveNote(note, JSON.stringify({...kept, of: digest()}));
			return kept;
		},
	};
}

const describe = ({name, repository}: NamedRepository, {home, mounts}: Pick<Parts, 'home' | 'mounts'>): Kit['repositories'][number] => ({
	name,
	isFolder: folderOf(repository) !== undefined,
	...heldIn(folderOf(repository), mounts),
	environment: {RESTIC_REPOSITORY: repository.location, ...repository.env},
	options: {...repository.options},
	files: kitFiles(repository, home),
});

function heldIn(folder: string | undefined, mounts: readonly Mount[]): {heldIn?: string} {
	const mount = folder === undefined ? undefined : mountOf(folder, {mounts});
	if (folder === undefined || mount === undefined) {
		return {};
	}

	const inside = below(folder, mount.path);
	return {
		heldIn:
			mount.type === 'bind' ? `\`${mount.hostPath}${inside}\`` : `volume \`${mount.volume}\`${inside === '' ? '' : ` (${inside} in it)`}`,
	};
}
