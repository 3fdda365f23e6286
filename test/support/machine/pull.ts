import process from 'node:process';
import {execa} from 'execa';

const patienceForAnswer = 20_000;
const patienceForDownload = 15 * 60_000;

// In the environment, so that the processes which this one starts know it too, and neither try nor say it again
const remembered = 'HOLDFAST_TEST_NO_PULL';

// The command says "… Pulling from …" as soon as the registry has answered; what follows may take long
const pull = async (name: string): Promise<void> => {
	const answered = new AbortController();
	const timer = setTimeout(() => answered.abort(), patienceForAnswer);
	try {
		const download = execa('docker', ['pull', name], {
			cancelSignal: answered.signal,
			timeout: patienceForDownload,
			buffer: {stdout: false},
		});
		download.stdout.once('data', () => clearTimeout(timer));
		await download;
	} finally {
		clearTimeout(timer);
	}
};

const explain = (error: unknown): string => {
	const {stderr, isCanceled} = error as {stderr?: string; isCanceled?: boolean};
	return isCanceled ? `no answer in ${patienceForAnswer / 1000} s` : (stderr?.trim().split('\n').at(-1) ?? String(error));
};

/**
 * Tries to pull an image: true when it is there now. The first failure is remembered by this process and those it starts, said once, and ends
 * all further tries, because a machine without a registry has none for the next image either.
 */
export const tryPull = async (name: string): Promise<boolean> => {
	if (process.env[remembered] !== undefined) {
		return false;
	}

	try {
		await pull(name);
		return true;
	} catch (error) {
		if (process.env[remembered] === undefined) {
			const reason = explain(error);
			process.env[remembered] = reason;
			console.error(`holdfast: no image can be pulled here (${reason}); stand-ins made of Debian's packages are used instead`);
		}

		return false;
	}
};
