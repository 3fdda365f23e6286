/** What is needed when the host is gone: printed for who asks, and for nobody else. */

import test from 'ava';
import {execa} from 'execa';
import {createCliTest} from '../../../support/doubles/cli.ts';

test('the kit is printed as a shell reads it, with what to do', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.kitKept = null;
	const {code, out, err} = await cli.run('kit', {columns: 120});
	t.is(code, 0);
	t.regex(out, /Recovery kit of `nas`/);
	t.regex(out, /holdfast adopt a1b2c3 --force/);
	t.regex(err, /holdfast kit --kept/);
	const line = out.split('\n').find(each => each.includes('RESTIC_PASSWORD=')) ?? '';
	const {stdout} = await execa('sh', ['-c', `${line.trim()}; printf %s "$RESTIC_PASSWORD"`]);
	t.is(stdout, "it's <secret>");
	t.regex(line, /="it's <secret>"$/);
	t.regex(out, /`env_file:`/);
});

test('files that are needed are printed as they are; what is too long or missing is named', async t => {
	const cli = await createCliTest(t);
	const {out} = await cli.run('kit', {columns: 60});
	t.true(out.includes('  /root/.ssh/id\n    -----BEGIN <KEY>-----\n    \tline\n  /etc/store.p12, as base64 -d reads it\n    AAEC'), out);
	t.regex(out, /\/etc\/ca\.pem \(200 kB\) is too long to print/);
	t.regex(out, /\/run\/gone cannot be read \(ENOENT\)/);
	const page = (await cli.run('kit --page')).out;
	t.true(page.includes('<h3>/root/.ssh/id</h3>\n<pre>-----BEGIN &lt;KEY&gt;-----\n\tline</pre>'), page);
});

test('the page is whole in itself, and no secret is markup', async t => {
	const cli = await createCliTest(t);
	const {out} = await cli.run('kit --page');
	t.regex(out, /^<!doctype html>/);
	t.notRegex(out, /<secret>|<script|src=|href=/);
	t.regex(out, /&lt;secret&gt;/);
});

test('a person says that it is kept', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.kitKept = null;
	const {code, out, err} = await cli.run('kit --kept');
	t.deepEqual([code, out], [0, '']);
	t.regex(err, /noted/);
	t.is((await cli.run('kit')).err, '');
	t.like(JSON.parse((await cli.run('kit --json')).out), {kept: {by: 'cli'}});
});
