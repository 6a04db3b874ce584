// node-pg: parameters, types, errors, a cursor over a million rows, cancel. Prints "ok …" lines.
import pg from 'pg';
import Cursor from 'pg-cursor';

const [port, password] = process.argv.slice(2);
const options = { host: '127.0.0.1', port: Number(port), user: 'admin', password, database: 'dev' };
let failures = 0;
function check(condition, what) {
  console.log(`${condition ? 'ok' : 'FAILED'} ${what}`);
  failures += condition ? 0 : 1;
}

const client = new pg.Client(options);
await client.connect();
let result = await client.query('select $1::integer + 1 as a, $2::varchar || $3 as b', [41, 'x', 'y']);
check(result.rows[0].a === 42 && result.rows[0].b === 'xy', 'parameters');
result = await client.query({ name: 'named', text: 'select n from numbers where n = $1', values: [77] });
check(result.rows[0].n === 77, 'named statement');
result = await client.query({ name: 'named', text: 'select n from numbers where n = $1', values: [78] });
check(result.rows[0].n === 78, 'named statement again');
result = await client.query('select * from types where i is not null');
const row = result.rows[0];
check(row.b === true && row.i === 2147483647 && row.l === '-9223372036854775808' &&
      row.d === '1234567890.12' && row.f === -2.25e100, 'types');
result = await client.query('select * from types where i is null');
check(Object.values(result.rows[0]).every((v) => v === null), 'nulls');
result = await client.query({ text: 'select i, b, f from types where i is not null', binary: true });
check(result.rows[0].i === 2147483647, 'binary');
try {
  await client.query('select * from nowhere');
  check(false, 'missing table');
} catch (error) {
  check(error.code === '42P01' && Number(error.position) === 15, `missing table ${error.code}`);
}
const cursor = client.query(new Cursor('select n from numbers'));
let total = 0, pages = 0;
for (;;) {
  const rows = await cursor.read(1000);
  if (rows.length === 0) break;
  pages++;
  for (const r of rows) total += r.n;
}
await cursor.close();
check(pages === 1000 && total === (1000000 * 999999) / 2, `cursor ${pages} pages`);
await client.query('begin');
await client.query('create table from_node (a integer)');
await client.query('insert into from_node values ($1), ($2)', [1, 2]);
await client.query('rollback');
try {
  await client.query('select * from from_node');
  check(false, 'rollback');
} catch (error) {
  check(error.code === '42P01', 'rollback');
}
await client.query('set statement_timeout to 300');
const start = Date.now();
try {
  await client.query('select count(*) from numbers a, numbers b, numbers c where a.n * 3 + b.n * 7 + c.n * 11 = -1');
  check(false, 'timeout');
} catch (error) {
  check(error.code === '57014' && Date.now() - start < 5000, `timeout ${error.code}`);
}
await client.end();
process.exit(failures === 0 ? 0 : 1);
