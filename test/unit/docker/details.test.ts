import test from 'ava';
import {detailsOf} from '../../../docker/details.ts';

const inspected = (state: object, config: object) =>
	detailsOf({
		Id: 'id',
		Name: '/app',
		Path: 'sh',
		Args: [],
		Image: 'sha256:1',
		State: {Status: 'running', StartedAt: '', Pid: 1, ExitCode: 0, OOMKilled: false, ...state},
		Config: config,
		HostConfig: {},
		Mounts: [],
		NetworkSettings: {Networks: {}},
	} as unknown as Parameters<typeof detailsOf>[0]);

test('without a health check there is none, however the engine says it', t => {
	for (const state of [{}, {Health: {Status: 'none'}}, {Health: {Status: '', FailingStreak: 0, Log: null}}]) {
		t.like(inspected(state, {}), {health: undefined, healthPatienceMs: undefined});
	}

	const {health, healthPatienceMs} = inspected({Health: {Status: 'starting'}}, {Healthcheck: {Test: ['CMD', 'true']}});
	t.is(health, 'starting');
	t.true((healthPatienceMs ?? 0) > 0);
});

test('how long a stop may take: what was said, ten seconds where nothing was, and that is what Podman means by 0', t => {
	const seconds = (config: object) => inspected({}, config).stopTimeoutSeconds;
	t.is(seconds({}), 10);
	t.is(seconds({StopTimeout: 30, StopSignal: '15'}), 30);
	t.is(seconds({StopTimeout: 0, StopSignal: '15'}), 10);
	t.is(seconds({StopTimeout: 0, StopSignal: 'SIGTERM'}), 0);
	t.is(seconds({StopTimeout: 0}), 0);
});
