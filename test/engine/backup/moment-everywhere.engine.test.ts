/** Five kinds of sources under one writer: of one moment in each point. Lane: works. Turns: moments. */
import test from 'ava';
import {momentEverywhere} from '../../support/laws/moment-everywhere.ts';

test('in each of 5 points the numbers differ by at most one', async t => momentEverywhere(t, 5));
