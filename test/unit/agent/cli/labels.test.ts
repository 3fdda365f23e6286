import test from 'ava';
import {parse} from 'yaml';
import {override} from '../../../../agent/cli/labels.ts';

test('the file is one that Compose reads as it is meant, whatever stands in names and labels', t => {
	const labels = {'holdfast.enable': 'true', 'holdfast.stream.x': `["sh", "-c", "echo \\"$HOME\\" 'a' $$"]`};
	const lines = override({
		project: 'shop',
		services: [{service: 'a: b', container: 'c', labels, why: ['one\nservices: {}', 'two']}],
	});
	const read = parse(lines.join('\n'), (_key, value) => (typeof value === 'string' ? value.replaceAll('$$', '$') : value));
	t.deepEqual(read, {services: {'a: b': {labels}}});
	t.true(lines.includes('    # two'));
});
