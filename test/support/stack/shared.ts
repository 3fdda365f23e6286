/** What the tests of a file share. */
import type {ExecutionContext} from 'ava';

/**
 * Brings it up while the file is loaded, where only it can say which tests there are; `takeDown` is for `test.after.always`. The tests must be
 * declared right after it, without another `await` between them: ava starts with those that it knows then.
 */
export async function bringUp<Value>(
	work: (t: Pick<ExecutionContext, 'teardown'>) => Promise<Value>,
): Promise<{value: Value; takeDown: () => Promise<void>}> {
	const undos: Array<() => unknown> = [];
	const takeDown = async () => {
		for (const undo of undos.splice(0).toReversed()) {
			await undo();
		}
	};
	try {
		return {value: await work({teardown: undo => undos.push(undo)}), takeDown};
	} catch (error) {
		await takeDown();
		throw error;
	}
}
