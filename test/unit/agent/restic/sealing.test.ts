import test from 'ava';
import {authenticate, derive, seal, unseal} from '../../../../agent/restic/sealing.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

// D. J. Bernstein, "The Poly1305-AES message-authentication code", appendix B
const vectors = [
	{
		message: 'f3f6',
		r: '851fc40c3467ac0be05cc20404f3f700',
		k: 'ec074c835580741701425b623235add6',
		nonce: 'fb447350c4e868c52ac3275cf9d4327e',
		tag: 'f4c633c3044fc145f84f335cb81953de',
	},
	{
		message: '',
		r: 'a0f3080000f46400d0c7e9076c834403',
		k: '75deaa25c09f208e1dc4ce6b5cad3fbf',
		nonce: '61ee09218d29b0aaed7e154a2c5509cc',
		tag: 'dd3fab2251f11ac759f0887129cc2ee7',
	},
	{
		message: '663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136',
		r: '48443d0bb0d21109c89a100b5ce2c208',
		k: '6acb5f61a7176dd320c5c1eb2edcdc74',
		nonce: 'ae212a55399729595dea458bc621ff0e',
		tag: '0ee1c16bb73f0f4fd19881753c01cdbe',
	},
	{
		message:
			'ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9',
		r: '12976a08c4426d0ce8a82407c4f48207',
		k: 'e1a5668a4d5b66a5f68cc5424ed5982d',
		nonce: '9ae831e743978d3a23527c7128149e3a',
		tag: '5154ad0d2cb26e01274fc51148491f1b',
	},
];

for (const [index, {message, r, k, nonce, tag}] of vectors.entries()) {
	test(`Poly1305-AES, vector ${index + 1}`, t => {
		t.is(authenticate(hex(message), {r: hex(r), k: hex(k)}, hex(nonce)).toString('hex'), tag);
	});
}

test("restic's own vector is opened", t => {
	const sealed = hex('69fb41c62d12def4593bd71757138606338f621aeaeb39da0fe4f99233f8037a54ea63338a813bcf3f75d8c3cc75dddf8750');
	const key = {
		encrypt: hex('303e8687b1d7db18421bdc6bb8588ccadac4d59ee87b8ff70c44e635790cafef'),
		mac: {k: hex('ef4d8824cb80b2bcc5fbff8a9b12a42c'), r: hex('cc8d4b948ee0ebfe1d415de921d10353')},
	};
	t.is(unseal(key, sealed)?.toString(), 'Dies ist ein Test!');
});

test('what is sealed is opened with the same password only, and only as it is', async t => {
	const cost = {N: 2, r: 1, p: 1, salt: Buffer.alloc(64, 7)};
	const key = await derive('right', cost);
	const sealed = seal(key, Buffer.from('content'));
	t.is(unseal(key, sealed)?.toString(), 'content');
	t.is(unseal(await derive('wrong', cost), sealed), undefined);
	t.is(unseal(key, sealed.subarray(0, 20)), undefined);
	const flipped = Buffer.from(sealed);
	flipped.writeUInt8(flipped.readUInt8(18) ^ 1, 18);
	t.is(unseal(key, flipped), undefined);
});

test('no key file fills the memory', async t => {
	await t.throwsAsync(derive('x', {N: 2 ** 24, r: 8, p: 1, salt: Buffer.alloc(64)}));
});
