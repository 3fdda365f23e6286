/** Attributes of files that the system keeps for itself: kept for who may set them, and named where they are lost. Lane: waits. Turns: restore. */

import {buffer} from 'node:stream/consumers';
import test from 'ava';
import {execa} from 'execa';
import {pack} from 'tar-stream';
import {ensureImage} from '../../support/images.ts';
import {startStack} from '../../support/stack.ts';

const show = `cd /data; cat tagged; tar --xattrs --xattrs-include='*' -cf - tagged | grep -a -o 'SCHILY.xattr.[a-zA-Z.]*=[a-z]*' | sort`;

test('they come back where the container may set them; elsewhere all the rest does, and what is lost is said', async t => {
	const image = await ensureImage('holdfast-test/app:latest');
	const common = {image, command: ['sleep', 'infinity'], init: true, labels: {'holdfast.enable': 'true'}};
	const stack = await startStack(t, {
		volumes: ['ad', 'plain'],
		services: {
			ad: {...common, volumes: ['ad:/data'], cap_add: ['SYS_ADMIN']},
			plain: {...common, volumes: ['plain:/data']},
			helper: {...common, labels: {}, volumes: ['ad:/ad', 'plain:/plain'], cap_add: ['SYS_ADMIN']},
		},
	});
	const archive = pack();
	const pax = {'SCHILY.xattr.security.NTACL': 'acl', 'SCHILY.xattr.trusted.own': 'mine', 'SCHILY.xattr.user.colour': 'green'};
	archive.entry({name: 'tagged', pax}, 'tagged');
	archive.finalize();
	const input = await buffer(archive);
	for (const folder of ['/ad', '/plain']) {
		await execa('docker', ['exec', '-i', stack.container('helper'), 'tar', '--xattrs', '--xattrs-include=*', '-xf', '-', '-C', folder], {
			input,
		});
	}

	const look = async (folder: string) => stack.exec('helper', 'sh', '-ec', show.replace('/data', folder));
	const [ofAd, ofPlain] = [await look('/ad'), await look('/plain')];
	t.regex(ofAd, /security\.NTACL=acl[\s\S]*trusted\.own=mine[\s\S]*user\.colour=green/);
	t.is(ofPlain, ofAd);
	for (const service of ['ad', 'plain']) {
		await stack.holdfast('backup', `${stack.project}/${service}`);
		await stack.exec('helper', 'sh', '-ec', `echo other >/${service}/tagged; mv /${service}/tagged /${service}/moved`);
	}

	const restored = async (service: string) => {
		const {stdout} = await stack.holdfast('restore', `${stack.project}/${service}`, '--yes', '--json');
		return JSON.parse(stdout) as {outcome: string; tolerated?: Array<{source: string; what: string; count: number}>};
	};
	t.like(await restored('ad'), {outcome: 'success', tolerated: undefined});
	t.is(await look('/ad'), ofAd);
	const {outcome, tolerated = []} = await restored('plain');
	t.is(outcome, 'success');
	t.is(tolerated.length, 1);
	t.like(tolerated[0], {source: 'volume:/data', count: 1});
	t.regex(tolerated[0]?.what ?? '', /`security\.NTACL` of .*tagged could not be set/);
	t.regex(await look('/plain'), /^tagged/);
	t.regex(await look('/plain'), /user\.colour=green/);
	t.notRegex(await look('/plain'), /NTACL/);
});
