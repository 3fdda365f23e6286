// Reads every /proc/PID/cmdline again and again until its standard input ends; then prints the distinct ones as JSON.
import {readdirSync, readFileSync} from 'node:fs';
import process from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';

const seen = new Set<string>();
let isOver = false;
process.stdin.resume().on('end', () => {
	isOver = true;
});

const look = (pid: string): void => {
	try {
		seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
	} catch {
		// It is gone.
	}
};

while (!isOver) {
	readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.forEach(look);
	await delay(10);
}

process.stdout.write(JSON.stringify([...seen]));
