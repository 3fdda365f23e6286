/** Addresses that something is sent to. */
import type {Reader} from './reader.ts';

export const urlOf =
	(...protocols: readonly string[]): Reader<string> =>
	text => {
		const url = URL.canParse(text) ? new URL(text) : undefined;
		return url !== undefined && protocols.includes(url.protocol) && url.hostname !== ''
			? {value: text}
			: {rule: `must be a URL that begins with ${protocols.map(protocol => `\`${protocol}//\``).join(' or ')}`};
	};

export const readWebAddress = urlOf('https:', 'http:');
