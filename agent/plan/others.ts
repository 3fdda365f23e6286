/** The containers of programs whose labels are understood: their environment is asked for once in a container's life. */
import type {DialectName} from '../../base/reading/values.ts';
import type {Container} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import {unlessGone} from '../../docker/refusal.ts';
import {type Program, programOf} from '../targets/dialects/program.ts';
import {isProgram, type Settings, settingsOf} from '../targets/dialects/settings.ts';

/** @returns what finds them among the engine's containers, stopped ones too. What it keeps is what is meant, no environment: that holds secrets */
export function createOthers(engine: Pick<Engine, 'inspect'>, names: readonly DialectName[]) {
	const known = new Map<string, Settings>();
	return async (containers: readonly Container[]): Promise<Program[]> => {
		const theirs = containers.flatMap(container => {
			const name = names.find(each => isProgram(each, container.image));
			return name === undefined ? [] : [{name, container}];
		});
		for (const id of known.keys()) {
			if (!theirs.some(({container}) => container.id === id)) {
				known.delete(id);
			}
		}

		const found = await Promise.all(
			theirs.map(async ({name, container}) => {
				const {id, image, mounts} = container;
				const details = known.has(id) ? undefined : await engine.inspect(id).catch(unlessGone);
				if (details !== undefined) {
					known.set(id, settingsOf(name, {image, env: details.env, mounts}));
				}

				const settings = known.get(id);
				return settings && programOf(name, {container, settings, containers});
			}),
		);
		return found.filter(program => program !== undefined);
	};
}
