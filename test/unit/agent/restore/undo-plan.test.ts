/** What an undo must not take away, although nobody stands in its way. */
import test from 'ava';
import {planUndo} from '../../../../agent/restore/undo-plan.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import {containerFromList} from '../../../../docker/container.ts';

test("what became Holdfast's own since the restore is not put back over; what was so already is spared", t => {
	const container = (name: string, mounts: ReadonlyArray<readonly [string, string]>, labels = {}) =>
		containerFromList({
			Id: name,
			Names: [`/${name}`],
			Image: 'image',
			ImageID: 'sha256:1',
			Created: 0,
			State: 'running',
			Labels: labels,
			Mounts: mounts.map(([Source, Destination]) => ({Type: 'bind', Source, Destination, RW: true})),
		});
	const strangers = (own: string, spared?: string[]) => {
		const containers = [container('app', [['/srv/app', '/app']], {'holdfast.enable': 'true'}), container('hf', [[own, '/repository']])];
		const [target] = discoverTargets(containers);
		const replacements = [{source: 'volume:/app', ...(spared && {spared})}];
		return planUndo(new Map([['app', target as never]]), {containers, self: 'hf'}, replacements, {target: 'app', ran: []}).strangers.join();
	};

	t.is(strangers('/srv/other'), '');
	t.is(strangers('/srv/app/backups', ['/backups']), '');
	for (const spared of [undefined, [], ['/former']]) {
		t.regex(strangers('/srv/app/backups', spared), /`volume:\/app`: "\/app\/backups" is Holdfast's own .*since the restore/);
	}

	t.regex(strangers('/srv', []), /"\/app" is Holdfast's own/);
});
