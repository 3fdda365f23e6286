/** Tests whose stack runs on an engine of their own: another version than the machine's, or one that may be killed. */
import type {ExecutionContext, Implementation, TestFn} from 'ava';
import {ensureImage} from '../images.ts';
import {canStartSecondEngine, type SecondEngine, startSecondEngine} from '../machine/second-engine.ts';

type Declare = (title: string, implementation: Implementation<[]>) => void;

/** Declares a test that is skipped where no second engine can be started, and says so. */
export async function withOwnEngine(test: TestFn): Promise<Declare> {
	return (await canStartSecondEngine())
		? test
		: (title, implementation) => test.skip(`${title} (only root on Debian with a local engine can start a second one)`, implementation);
}

/** An engine for one test, with the images that a stack on it needs: Holdfast's own, and `image`, an application. */
export async function startOwnEngine(
	t: ExecutionContext,
	options?: Parameters<typeof startSecondEngine>[0],
): Promise<{engine: SecondEngine; image: string}> {
	const image = await ensureImage('holdfast-test/app:latest');
	const engine = await startSecondEngine(options);
	t.teardown(engine.remove);
	await engine.load([image, process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev']);
	return {engine, image};
}
