// many-files FOLDER COUNT BYTES EVERY: fills FOLDER with COUNT incompressible files, of BYTES each, in folders of 100, writes FOLDER/../filled, and
// then writes each EVERY-th file anew, over and over.
import {randomFillSync} from 'node:crypto';
import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const [folder = '/data/files', ...numbers] = process.argv.slice(2);
const [count = 100, bytes = 1000, every = 100] = numbers.map(Number);
const content = Buffer.alloc(bytes);
const write = (index: number): void => {
	const inside = path.join(folder, `${Math.floor(index / 100)}`);
	if (index % 100 === 0) {
		mkdirSync(inside, {recursive: true});
	}

	writeFileSync(path.join(inside, `${index}`), randomFillSync(content));
};

for (let index = 0; index < count; index++) {
	write(index);
}

writeFileSync(path.join(folder, '..', 'filled'), '');
process.on('SIGTERM', () => process.exit(0));
for (;;) {
	for (let index = 0; index < count; index += every) {
		write(index);
		await delay(1);
	}

	await delay(500);
}
