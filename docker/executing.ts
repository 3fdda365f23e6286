/** Commands in a container that nobody follows any more: their agent, or its connection, died, and they run on. */
import {setTimeout as delay} from 'node:timers/promises';
import type {Engine} from './engine.ts';

export interface Bounded {
	argv: readonly string[];
	timeoutMs: number;
}

const lookMs = 200;

/** Waits until none of them is at work; none longer than it may take. An engine that cannot be asked does not know: then it is not waited. Never rejects. */
export async function untilEnded(engine: Pick<Engine, 'executing'>, id: string, commands: readonly Bounded[]): Promise<void> {
	const begun = Date.now();
	for (;;) {
		const pastMs = Date.now() - begun;
		const awaited = commands.filter(({timeoutMs}) => pastMs < timeoutMs);
		const running = awaited.length === 0 ? [] : await engine.executing(id).catch(() => []);
		if (!running.some(argv => awaited.some(command => endsWith(argv, command.argv)))) {
			return;
		}

		await delay(lookMs);
	}
}

/** What runs may be wrapped: see `wrapper` of exec.ts. */
const endsWith = (argv: readonly string[], end: readonly string[]): boolean =>
	argv.length >= end.length && end.every((word, index) => word === argv[argv.length - end.length + index]);
