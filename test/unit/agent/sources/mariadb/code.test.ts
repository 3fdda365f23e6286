import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {flavoured, unqualify} from '../../../../../agent/sources/mariadb/code.ts';
import {succeed} from '../../../../../base/command.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

test("MySQL's own program is told what MariaDB's does not know", t => {
	t.deepEqual(flavoured({flavour: 'mysql', isExternal: false}), ['--set-gtid-purged=OFF', '--no-tablespaces']);
	t.deepEqual(flavoured({flavour: 'mysql', isExternal: true}), []);
	t.deepEqual(flavoured({flavour: 'mariadb', isExternal: false}), []);
});

const head = '/*!50003 CREATE*/ /*!50017 DEFINER=`ro.ot`@`local host`*/ /*!50003 ';

/** As a dump has it; undefined: as it was. */
const triggers: ReadonlyArray<[string, string?]> = [
	[
		'trigger shop.t before insert on shop.orders for each row set new.a = new.b',
		'trigger t before insert on orders for each row set new.a = new.b',
	],
	[
		'TRIGGER `we``ird.x` . `or.der` AFTER UPDATE\nON `we``ird.x`.`t``.1` FOR EACH ROW begin update a join b on b.x = a.x set a.y = 1; end',
		'TRIGGER `or.der` AFTER UPDATE\nON `t``.1` FOR EACH ROW begin update a join b on b.x = a.x set a.y = 1; end',
	],
	[
		'TRIGGER IF NOT EXISTS "shop"."t" BEFORE DELETE ON "shop"."o" FOR EACH ROW begin end',
		'TRIGGER IF NOT EXISTS "t" BEFORE DELETE ON "o" FOR EACH ROW begin end',
	],
	['TRIGGER t BEFORE INSERT ON orders FOR EACH ROW insert into shop.log select * from x join y on y.id = x.id'],
	['TRIGGER caf\xe9 BEFORE INSERT ON orders FOR EACH ROW FOLLOWS other set new.a = "TRIGGER shop.t before insert on shop.orders"'],
	[
		'TRIGGER sh\xf6p.caf\xe9 BEFORE INSERT ON sh\xf6p.orders FOR EACH ROW begin end',
		'TRIGGER caf\xe9 BEFORE INSERT ON orders FOR EACH ROW begin end',
	],
];

test('a trigger that names its database is made in whichever database it is loaded into', async t => {
	const file = join(temporaryFolder(t), 'code');
	const written = (form: (trigger: readonly [string, string?]) => string) =>
		triggers.map(each => `DELIMITER ;;\n${head}${form(each)} */;;\nDELIMITER ;\n`).join('');
	await writeFile(
		file,
		written(([before]) => before),
		'latin1',
	);
	await succeed(here, {argv: unqualify(file), env: {LC_ALL: 'C'}});
	t.is(
		await readFile(file, 'latin1'),
		written(([before, after = before]) => after),
	);
});
