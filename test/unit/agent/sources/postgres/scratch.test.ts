import test from 'ava';
import {ownerIn, quoteSetting, withoutPrograms} from '../../../../../agent/sources/postgres/scratch.ts';

test('a scratch server belongs to a user whom the image names, and never to root', t => {
	const root = 'root:x:0:0:root:/root:/bin/sh\n';
	t.is(ownerIn(`${root}daemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\npostgres:x:70:71::/var:/bin/sh\n`), '70:71');
	t.is(ownerIn(`${root}daemon:x:1:1::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n`), '65534:65534');
	t.is(ownerIn(`${root}app:x:1001:0::/:/bin/false\n`), '1001:0');
	t.is(ownerIn(root), undefined);
	t.is(ownerIn(undefined), undefined);
});

test('a name in a configuration file stays on its line and within its quotes', t => {
	t.is(quoteSetting("a'b\\c\nd"), String.raw`'a''b\\c\nd'`);
});

test('an image without programs is named, with the label that names another; other errors stay as they are', t => {
	const found = withoutPrograms(new Error('exec: "sleep": executable file not found in $PATH: unknown'), 'slim:1') as Error & {
		hint: string;
	};
	t.regex(found.message, /no scratch container can be made of slim:1: it has no `sleep`/);
	t.regex(found.hint, /`holdfast\.drill\.image` names another image/);
	const other = new Error('no space left on device');
	t.is(withoutPrograms(other, 'slim:1'), other);
});
