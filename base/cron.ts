/** The only importer of cron-parser, which is asked in UTC alone: what a line says of hours and days, and when it is due by the clock on a wall. */
import cronParser from 'cron-parser';
import {Settings} from 'luxon';

// cron-parser's dates are luxon's, which would ask the system for a language although it prints nothing: that alone costs 8 MB.
// In the bundle this is the same luxon; from the sources Node takes another of its files for `import` than for `require`.
Settings.defaultLocale = 'en-US';

/** @throws when it is no line of cron's. `after`: milliseconds since 1970, of what it is asked for next. */
export const parseCron = (line: string, after = 0) => cronParser.parseExpression(line, {utc: true, currentDate: new Date(after)});

export type CronFields = ReturnType<typeof parseCron>['fields'];
