import {execa} from 'execa';

const patienceForAnswer = 20_000;
const patienceForDownload = 15 * 60_000;

let reason: string | undefined;

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
 * Tries to pull an image: true when it is there now. The first failure is remembered for the life of this process, said once, and ends
 * all further tries, because a machine without a registry has none for the next image either.
 */
export const tryPull = async (name: string): Promise<boolean> => {
	if (reason !== undefined) {
		return false;
	}

	try {
		await pull(name);
		return true;
	} catch (error) {
		if (reason === undefined) {
			reason = explain(error);
			console.error(`holdfast: no image can be pulled here (${reason}); stand-ins made of Debian's packages are used instead`);
		}

		return false;
	}
};
