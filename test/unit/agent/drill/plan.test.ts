import test from 'ava';
import {planDrill} from '../../../../agent/drill/plan.ts';
import type {Manifest, ManifestSource} from '../../../../agent/repository/manifest.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import {containerFromList} from '../../../../docker/container.ts';

const source = (name: string, kind: ManifestSource['kind']): ManifestSource => ({
	source: name,
	kind,
	snapshot: 'abcd',
	bytes: 1,
	addedBytes: 1,
	durationSeconds: 1,
	path: '/shop',
	container: {name: 'x', image: 'image', imageId: 'sha256:dumped', labels: {}},
	details: {},
});

function plan(labels: Record<string, string>, sources: ManifestSource[]) {
	const [target] = discoverTargets([
		containerFromList({
			Id: 'id',
			Names: ['/shop-db-1'],
			Image: 'image',
			ImageID: 'sha256:now',
			Created: 0,
			State: 'exited',
			Labels: {
				'com.docker.compose.project': 'shop',
				'com.docker.compose.service': 'db',
				'com.docker.compose.container-number': '1',
				'holdfast.enable': 'true',
				...labels,
			},
			Mounts: [],
		}),
	]);
	if (target === undefined) {
		throw new Error('no target');
	}

	const point = {
		id: 'run-1',
		target: 'shop/db',
		filedAs: 'shop/db',
		agent: 'agent-1',
		host: 'h',
		time: new Date(),
		manifest: 'm',
		sources: [],
	};
	const {rehearsal, problems} = planDrill(target, point, {sources} as unknown as Manifest);
	return {problems, images: rehearsal.sources.map(({image}) => image), questions: rehearsal.sources.map(({drillSql}) => drillSql)};
}

const databases = ['postgres:other', 'postgres:app', 'postgres:postgres'].map(name => source(name, 'postgres'));

test('the image is that of the container as it is now, or of the dumped one', t => {
	const {images, problems} = plan({'holdfast.postgres': 'true'}, [...databases.slice(0, 1), source('gone/volume:/data', 'volume')]);
	t.deepEqual(images, ['sha256:now', 'sha256:dumped']);
	t.deepEqual(problems, []);
});

test('the question is about the first database that the label names', t => {
	const labels = {'holdfast.postgres': 'app,other', 'holdfast.drill.sql': 'select true'};
	t.deepEqual(plan(labels, databases).questions, [undefined, 'select true', undefined]);
});

test('or about the only one that is not called postgres', t => {
	const labels = {'holdfast.postgres': 'true', 'holdfast.drill.sql': 'select true'};
	t.deepEqual(plan(labels, databases.slice(1)).questions, ['select true', undefined]);
	t.deepEqual(plan(labels, databases.slice(2)).questions, ['select true']);
});

test('a question that cannot be asked is no success', t => {
	const sql = {'holdfast.drill.sql': 'select true'};
	t.regex(plan({'holdfast.postgres': 'true', ...sql}, databases).problems.join(), /holdfast\.drill\.sql/);
	t.regex(plan({'holdfast.postgres': 'missing', ...sql}, databases).problems.join(), /holdfast\.drill\.sql/);
});
