import test from 'ava';
import {sessionOption} from '../../../../../agent/sources/postgres/timeouts.ts';

test('an option of a session, as libpq splits them at spaces', t => {
	t.is(sessionOption('search_path', 'app, "Odd Name"'), String.raw`-c search_path=app,\ "Odd\ Name"`);
	t.is(sessionOption('lc_monetary', 'de_DE.UTF-8'), '-c lc_monetary=de_DE.UTF-8');
});
