/** Servers that load what they find when they start are asked whether they took it. */
import type {Engine} from '../../docker/engine.ts';
import {readReplaced} from '../sources/kinds.ts';
import type {Replaced} from '../sources/restoring.ts';

/** @throws where one did not */
export async function confirmAll(replacements: readonly Replaced[], means: {engine: Engine; signal: AbortSignal}): Promise<void> {
	for (const replacement of replacements) {
		const {kind, old} = readReplaced(replacement);
		await kind.confirm?.(old, means);
	}
}
