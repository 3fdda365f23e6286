import test from 'ava';
import {ownerIn, quoteSetting} from '../../../../../agent/sources/postgres/scratch.ts';

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
