// stamp [FILE]: appends the time in milliseconds as a line to FILE, by default /data/stamps, every 10 ms: its largest gap is the outage that an
// application sees.
import {appendFileSync} from 'node:fs';
import process from 'node:process';

const [file = '/data/stamps'] = process.argv.slice(2);
const stamp = () => appendFileSync(file, `${Date.now()}\n`);
stamp();
console.log(`stamping ${file}`);
setInterval(stamp, 10);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
	process.on(signal, () => process.exit(0));
}
