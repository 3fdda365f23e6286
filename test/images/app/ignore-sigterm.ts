// ignore-sigterm: ends only when it is killed, as applications do that hang while they stop.
import process from 'node:process';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
	process.on(signal, () => console.log(`ignoring ${signal}`));
}

console.log('ready');
setInterval(() => {}, 60_000);
