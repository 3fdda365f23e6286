import {createHash, timingSafeEqual} from 'node:crypto';

/** Tells whether an `Authorization` header carries the token, in a time that says nothing about how near a guess was. */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
	if (token === '') {
		throw new Error('the API token must not be empty');
	}

	const expected = digest(token);
	return authorization => {
		const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
		return timingSafeEqual(digest(given), expected);
	};
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
