import test from 'ava';
import {execa} from 'execa';
import {createOffsets, findTimeZone, ownTimeZone} from '../../../base/clock.ts';

/** What a process of that zone says of each third hour since 1975, where another way of asking says otherwise. */
const differing = `
	const [clock, zone] = process.argv.slice(1);
	const {createOffsets, ownTimeZone} = await import(clock);
	const offsetAt = createOffsets(zone);
	const format = new Intl.DateTimeFormat('en-US', {timeZone: zone, timeZoneName: 'longOffset'});
	let [asked, wrong] = [0, 0];
	const seen = new Set();
	for (let instant = Date.UTC(1975); instant < Date.UTC(2037); instant += 3 * 3_600_000, asked++) {
		const [, sign, hours, minutes] = /GMT([+-])(\\d\\d):(\\d\\d)$/.exec(format.format(instant)) ?? [, '+', 0, 0];
		const expected = (sign === '-' ? -1 : 1) * (hours * 60 + Number(minutes)) * 60_000;
		seen.add(expected);
		wrong += offsetAt(instant) === expected ? 0 : 1;
	}
	console.log(JSON.stringify({asked, wrong, offsets: seen.size, own: ownTimeZone()}));
`;

for (const zone of ['Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns']) {
	test(`a process in ${zone} needs no Intl to know its clock`, async t => {
		const {stdout} = await execa(
			process.execPath,
			[
				'--disable-warning=ExperimentalWarning',
				'--input-type=module',
				'--eval',
				differing,
				new URL('../../../base/clock.ts', import.meta.url).href,
				zone,
			],
			{env: {TZ: zone}},
		);
		const {asked, wrong, offsets, own} = JSON.parse(stdout) as {asked: number; wrong: number; offsets: number; own: string};
		t.true(asked > 100_000 && offsets > 1);
		t.is(wrong, 0);
		t.is(own, zone);
	});
}

test('a process of which nobody said where it stands knows its zone', async t => {
	const program = `console.log((await import(process.argv[1])).ownTimeZone(), new Intl.DateTimeFormat().resolvedOptions().timeZone)`;
	const {stdout} = await execa(
		process.execPath,
		[
			'--disable-warning=ExperimentalWarning',
			'--input-type=module',
			'--eval',
			program,
			new URL('../../../base/clock.ts', import.meta.url).href,
		],
		{env: {TZ: undefined}},
	);
	const [own, asked] = stdout.split(' ');
	t.is(own, asked);
});

test('a zone has its usual name, and UTC is always UTC', t => {
	t.is(findTimeZone('UTC'), 'UTC');
	t.is(findTimeZone('europe/berlin'), 'Europe/Berlin');
	t.throws(() => findTimeZone('Europe/Atlantis'), {instanceOf: RangeError});
	t.is(createOffsets('UTC')(Date.now()), 0);
	t.throws(() => createOffsets('Europe/Atlantis'), {message: /not a time zone/});
	t.is(typeof ownTimeZone(), 'string');
});
