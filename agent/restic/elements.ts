/** A JSON array as a stream: a repository has tens of thousands of snapshots, and their text at once is more than all that is needed of them. */

/**
 * Reads to the end, whatever comes.
 * @param read gets each object of the array as it is complete
 * @returns whether the array, or `null`, was whole
 */
export async function eachElement(stream: AsyncIterable<Uint8Array | string>, read: (element: unknown) => void): Promise<boolean> {
	const decoder = new TextDecoder();
	/** The object that has begun, in parts. */
	let parts: string[] = [];
	let depth = 0;
	let isInText = false;
	let isEscaped = false;
	let outside = '';
	for await (const chunk of stream) {
		const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, {stream: true});
		let start = 0;
		for (let at = 0; at < text.length; at++) {
			const character = text[at];
			if (isInText) {
				isInText = isEscaped || character !== '"';
				isEscaped = !isEscaped && character === '\\';
			} else if (character === '"') {
				isInText = true;
			} else if (character === '{') {
				if (depth === 0) {
					outside += text.slice(start, at);
					start = at;
				}

				depth++;
			} else if (character === '}') {
				depth--;
				if (depth === 0) {
					read(JSON.parse(parts.join('') + text.slice(start, at + 1)));
					parts = [];
					start = at + 1;
				}
			}
		}

		if (depth > 0) {
			parts.push(text.slice(start));
		} else {
			outside += text.slice(start);
		}

		outside = outside.replaceAll(/[,\s]/g, '').slice(0, 100);
	}

	return depth === 0 && ['[]', 'null'].includes(outside);
}
