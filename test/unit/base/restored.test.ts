import test from 'ava';
import {describeRestored} from '../../../base/restored.ts';

test('what becomes of a storage and who else has it is one line; what is not known is said', t => {
	const storage = {source: 'volume:/data', storage: 'volume "data"', written: 1, removed: 12, mountedBy: []};
	t.is(describeRestored(storage), 'volume:/data: 1 file written, 12 removed; volume "data"');
	t.is(
		describeRestored({
			...storage,
			written: null,
			removed: null,
			unknown: 'counting took longer than 60 s',
			mountedBy: [
				{container: 'a', readWrite: true, stopped: true},
				{container: 'b', readWrite: false, stopped: false},
			],
		}),
		'volume:/data: unknown how many files are written, unknown how many are removed (counting took longer than 60 s); volume "data", mounted by a (writes, stopped), b (reads), too',
	);
	const many = Array.from({length: 12}, (_, index) => ({container: `c${index}`, readWrite: false, stopped: false}));
	t.regex(describeRestored({...storage, mountedBy: many}), / and 2 more, too$/);
});
